#include "net/tls_sessions.h"

#include "net/tls_fixture.h"

namespace hotline {
namespace {

using tls::Sessions;

// A server and a client that meet again and again, by one version of TLS or the other.
class Resumption : public ::testing::TestWithParam<int> {
 protected:
  Resumption() { SSL_CTX_set_max_proto_version(client->context(), GetParam()); }

  /// Shakes hands, and hears what the server says behind it. Tells whether a session was resumed.
  bool resumes(const std::string& name = "localhost", std::uint16_t port = 443) {
    TlsPair pair;
    pair.port = port;
    pair.connect(server, client, name);
    if (!pair.a || !pair.b) {
      ADD_FAILURE() << pair.client_sentence << pair.server_sentence;
      return false;
    }
    pair.b->try_write(span_of("hello"));
    EXPECT_EQ(read_all(pair.loop, *pair.a), "hello");
    EXPECT_EQ(pair.client_info().peer.subject, "CN=localhost");
    EXPECT_EQ(pair.client_info().version, GetParam() == TLS1_2_VERSION ? "TLSv1.2" : "TLSv1.3");
    EXPECT_EQ(pair.client_info().resumed, pair.server_info().resumed);
    return pair.client_info().resumed;
  }
  Sessions& sessions() {
    const std::unique_ptr<SSL, decltype(&SSL_free)> ssl{SSL_new(client->context()), &SSL_free};
    return Sessions::of(ssl.get());
  }
  /// What is kept of one meeting, after `change`.
  template <typename Change>
  void change_session(Change change) {
    auto session = sessions().take("localhost:443");
    ASSERT_TRUE(session.session);
    change(session);
    sessions().put("localhost:443", std::move(session));
  }

  std::shared_ptr<TlsServer> server = std::make_shared<TlsServer>(TlsPair::server_options());
  std::shared_ptr<const TlsClient> client = make_tls_client(TlsPair::client_options());
};

INSTANTIATE_TEST_SUITE_P(, Resumption, ::testing::Values(TLS1_2_VERSION, TLS1_3_VERSION),
                         [](const auto& one) {
                           return one.param == TLS1_2_VERSION ? "in_1_2" : "in_1_3";
                         });

TEST_P(Resumption, follows_the_first_handshake_even_where_that_was_cut) {
  EXPECT_FALSE(resumes());
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(sessions().size(), 1u) << "our server gives one ticket";
    EXPECT_TRUE(resumes()) << i;
  }
}

TEST_P(Resumption, is_for_the_same_name_and_port) {
  EXPECT_FALSE(resumes());
  EXPECT_FALSE(resumes("127.0.0.1"));
  EXPECT_FALSE(resumes("localhost", 444));
  EXPECT_TRUE(resumes());
  EXPECT_TRUE(resumes("127.0.0.1"));
}

TEST_P(Resumption, is_no_way_around_the_name) {
  EXPECT_FALSE(resumes());
  TlsPair pair;
  pair.connect(server, client, "example.org");
  EXPECT_EQ(pair.client_error, Fault::certificate_wrong_name);
}

TEST_P(Resumption, is_of_one_client_s_options) {
  auto careless = TlsPair::client_options();
  careless.dangerously_accept_any_certificate = true;
  const auto careful = std::exchange(client, make_tls_client(careless));
  SSL_CTX_set_max_proto_version(client->context(), GetParam());
  EXPECT_FALSE(resumes());
  EXPECT_TRUE(resumes());
  client = careful;
  EXPECT_FALSE(resumes());
}

TEST_P(Resumption, of_what_the_server_does_not_know_any_more_is_a_whole_handshake) {
  EXPECT_FALSE(resumes());
  server->reload();
  EXPECT_FALSE(resumes());
  EXPECT_TRUE(resumes());
}

TEST_P(Resumption, is_not_tried_when_the_ticket_has_lived_as_long_as_the_server_said) {
  SSL_CTX_set_timeout(server->context().get(), 60);
  EXPECT_FALSE(resumes());
  change_session([](Sessions::Session& session) {
    SSL_SESSION_set_time(session.session.get(), SSL_SESSION_get_time(session.session.get()) - 60);
  });
  EXPECT_FALSE(resumes());
}

TEST_P(Resumption, ends_an_hour_after_the_certificate_was_verified) {
  EXPECT_FALSE(resumes());
  change_session([](Sessions::Session& session) { session.verified -= Sessions::most_age - 60; });
  EXPECT_TRUE(resumes());
  // However often.
  change_session([](Sessions::Session& session) { session.verified -= 60; });
  EXPECT_FALSE(resumes());
}

TEST_P(Resumption, is_not_of_a_certificate_that_has_expired_since) {
  // It is not waited for: the client accepts it beforehand.
  const auto expired = TlsPair::certificates().issue({.from = -3, .until = -1});
  auto careless = TlsPair::client_options();
  careless.dangerously_accept_any_certificate = true;
  server = std::make_shared<TlsServer>(TlsServerOptions{.certificates = {expired}});
  client = make_tls_client(careless);
  SSL_CTX_set_max_proto_version(client->context(), GetParam());
  EXPECT_FALSE(resumes());
  EXPECT_FALSE(resumes());
}

TEST_P(Resumption, tells_the_server_who_the_client_is) {
  const auto alice = TlsPair::certificates().issue_for("alice");
  auto mutual = TlsPair::server_options();
  mutual.client_ca_file = TlsPair::certificates().ca_file();
  auto options = TlsPair::client_options();
  options.certificate_file = alice.certificate_file;
  options.key_file = alice.key_file;
  server = std::make_shared<TlsServer>(mutual);
  client = make_tls_client(options);
  SSL_CTX_set_max_proto_version(client->context(), GetParam());
  EXPECT_FALSE(resumes());
  TlsPair pair;
  pair.connect(server, client);
  ASSERT_TRUE(pair.b) << pair.server_sentence;
  EXPECT_TRUE(pair.server_info().resumed);
  EXPECT_EQ(pair.server_info().peer.subject, "CN=alice");
}

TEST_P(Resumption, leaves_nothing_of_who_is_not_believed) {
  TlsPair pair;
  pair.connect(server, client, "example.org");
  EXPECT_EQ(sessions().size(), 0u);
}

TEST_P(Resumption, outlives_its_client) {
  TlsPair pair;
  pair.connect(server, client);
  client = make_tls_client(TlsPair::client_options());
  pair.b->try_write(span_of("a ticket first, in 1.3"));
  EXPECT_EQ(read_all(pair.loop, *pair.a), "a ticket first, in 1.3");
}

TEST(TlsSessions, are_taken_once_the_newest_first) {
  Sessions sessions;
  const auto make = [](long age) {
    Sessions::Session made{Sessions::Pointer{SSL_SESSION_new()}, std::time(nullptr) - age};
    return made;
  };
  sessions.put("a", make(200));
  sessions.put("b", make(150));
  sessions.put("a", make(100));
  EXPECT_FALSE(sessions.take("c").session);
  EXPECT_GT(sessions.take("a").verified, std::time(nullptr) - 150);
  EXPECT_LT(sessions.take("a").verified, std::time(nullptr) - 150);
  EXPECT_FALSE(sessions.take("a").session);
  EXPECT_EQ(sessions.size(), 1u);
}

TEST(TlsSessions, are_limited_in_all_and_of_each_server) {
  Sessions sessions;
  const auto put = [&](const std::string& server, long age) {
    sessions.put(server, {Sessions::Pointer{SSL_SESSION_new()}, std::time(nullptr) - age});
  };
  for (long i = 0; i < 20; ++i) put("one", 1'000 - i * 10);
  EXPECT_EQ(sessions.size(), Sessions::most_of_one);
  EXPECT_GT(sessions.take("one").verified, std::time(nullptr) - 850) << "the newest are left";
  for (int i = 0; i < 100; ++i) put("other" + std::to_string(i), 0);
  EXPECT_EQ(sessions.size(), Sessions::most);
  EXPECT_FALSE(sessions.take("one").session);
  EXPECT_TRUE(sessions.take("other99").session);
}

}  // namespace
}  // namespace hotline
