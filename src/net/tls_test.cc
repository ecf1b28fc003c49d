#include "net/tls.h"

#include <gmock/gmock.h>

#include "net/tls_fixture.h"

namespace hotline {
namespace {

using ::testing::AllOf;
using testing::CertificateOrder;
using testing::Certificates;
using ::testing::HasSubstr;
using ::testing::StartsWith;

TEST(Tls, tells_what_the_handshake_came_to) {
  TlsPair pair;
  pair.connect();
  ASSERT_TRUE(pair.a && pair.b) << pair.client_sentence << pair.server_sentence;
  EXPECT_EQ(pair.client_info().version, "TLSv1.3");
  EXPECT_EQ(pair.client_info().cipher, "TLS_AES_128_GCM_SHA256");
  EXPECT_EQ(pair.client_info().alpn, "http/1.1");
  EXPECT_EQ(pair.client_info().peer.subject, "CN=localhost");
  EXPECT_EQ(pair.client_info().peer.issuer, "CN=Test Authority");
  EXPECT_THAT(pair.client_info().peer.names,
              ::testing::ElementsAre("localhost", "127.0.0.1", "::1", "*.rooms.example"));
  EXPECT_EQ(pair.client_info().peer.fingerprint.size(), 32u * 3 - 1);
  EXPECT_EQ(pair.server_info().server_name, "localhost");
  EXPECT_EQ(pair.server_info().peer.subject, "");
  EXPECT_FALSE(pair.server_info().resumed);
}

TEST(Tls, a_certificate_is_for_its_names_and_addresses) {
  for (const auto* name : {"localhost", "LOCALHOST", "localhost.", "127.0.0.1", "::1", "[::1]",
                           "blue.rooms.example"}) {
    TlsPair pair;
    pair.connect(TlsPair::server_options(), TlsPair::client_options(), name);
    EXPECT_TRUE(pair.a) << name << ": " << pair.client_sentence;
  }
}

TEST(Tls, an_address_is_not_asked_for) {
  TlsPair pair;
  pair.connect(TlsPair::server_options(), TlsPair::client_options(), "127.0.0.1");
  ASSERT_TRUE(pair.b);
  EXPECT_EQ(pair.server_info().server_name, "");
}

TEST(Tls, refuses_the_wrong_name_and_says_which_it_is_for) {
  for (const auto* name : {"example.org", "127.0.0.2", "rooms.example", "a.b.rooms.example"}) {
    TlsPair pair;
    pair.connect(TlsPair::server_options(), TlsPair::client_options(), name);
    EXPECT_EQ(pair.client_error, Fault::certificate_wrong_name) << name;
    EXPECT_EQ(pair.client_error, Condition::certificate_rejected);
    EXPECT_THAT(pair.client_sentence,
                StartsWith("it is for localhost, 127.0.0.1, ::1, *.rooms.example: "));
    EXPECT_EQ(pair.server_sentence.substr(0, 14), "the peer says:") << pair.server_sentence;
  }
}

TEST(Tls, a_server_name_is_asked_for_in_place_of_the_one_dialled) {
  TlsPair pair;
  auto options = TlsPair::client_options();
  options.server_name = "localhost";
  pair.connect(TlsPair::server_options(), options, "example.org");
  ASSERT_TRUE(pair.a) << pair.client_sentence;
  EXPECT_EQ(pair.server_info().server_name, "localhost");
}

TEST(Tls, an_empty_name_is_no_way_around_the_check) {
  TlsPair pair;
  pair.connect(TlsPair::server_options(), TlsPair::client_options(), "");
  EXPECT_EQ(pair.client_error, Fault::bad_option);
}

TEST(Tls, refuses_what_has_expired_and_what_is_not_valid_yet) {
  auto& certificates = TlsPair::certificates();
  const auto old = certificates.issue({.from = -9, .until = -2});
  const auto early = certificates.issue({.from = 2, .until = 9});
  TlsPair first;
  first.connect({.certificates = {old}});
  EXPECT_EQ(first.client_error, Fault::certificate_expired);
  EXPECT_THAT(first.client_sentence, AllOf(StartsWith("CN=localhost was valid until 2"),
                                           HasSubstr(" UTC: the certificate has expired")));
  TlsPair second;
  second.connect({.certificates = {early}});
  EXPECT_EQ(second.client_error, Fault::certificate_not_yet_valid);
}

TEST(Tls, refuses_the_self_signed_and_the_untrusted) {
  const auto own = TlsPair::certificates().issue({.self_signed = true});
  TlsPair first;
  first.connect({.certificates = {own}});
  EXPECT_EQ(first.client_error, Fault::certificate_self_signed);
  Certificates others{"Somebody Else"};
  TlsPair second;
  second.connect({.certificates = {others.issue_for("localhost")}});
  EXPECT_EQ(second.client_error, Fault::certificate_untrusted);
  EXPECT_THAT(second.client_sentence, StartsWith("CN=localhost is signed by CN=Somebody Else: "));
}

TEST(Tls, a_self_signed_certificate_may_be_trusted_by_name) {
  const auto own = TlsPair::certificates().issue({.self_signed = true});
  TlsPair pair;
  pair.connect({.certificates = {own}}, {.ca_file = own.certificate_file});
  EXPECT_TRUE(pair.a) << pair.client_sentence;
}

TEST(Tls, refuses_the_revoked_where_there_is_a_list) {
  Certificates certificates;
  const auto good = certificates.issue_for("localhost");
  const auto bad = certificates.issue_for("localhost");
  const TlsClientOptions client{.ca_file = certificates.ca_file(),
                                .crl_file = certificates.revoke({bad})};
  TlsPair first;
  first.connect({.certificates = {bad}}, client);
  EXPECT_EQ(first.client_error, Fault::certificate_revoked);
  EXPECT_THAT(first.client_sentence, StartsWith("CN=localhost, by CN=Test Authority: "));
  TlsPair second;
  second.connect({.certificates = {good}}, client);
  EXPECT_TRUE(second.a) << second.client_sentence;
}

TEST(Tls, whom_nobody_checks_is_let_in) {
  const auto own = TlsPair::certificates().issue({.names = {"x"}, .until = 0, .self_signed = true});
  TlsPair pair;
  pair.connect({.certificates = {own}}, {.dangerously_accept_any_certificate = true});
  ASSERT_TRUE(pair.a) << pair.client_sentence;
  EXPECT_EQ(pair.client_info().peer.subject, "CN=x");
}

TEST(Tls, mutual_tells_the_server_who_it_is) {
  auto server = TlsPair::server_options();
  server.client_ca_file = TlsPair::certificates().ca_file();
  const auto alice = TlsPair::certificates().issue_for("alice");
  auto client = TlsPair::client_options();
  client.certificate_file = alice.certificate_file;
  client.key_file = alice.key_file;
  TlsPair pair;
  pair.connect(server, client);
  ASSERT_TRUE(pair.a && pair.b) << pair.client_sentence << pair.server_sentence;
  EXPECT_EQ(pair.server_info().peer.subject, "CN=alice");
}

TEST(Tls, mutual_refuses_whom_it_does_not_know) {
  Certificates others{"Somebody Else"};
  auto server = TlsPair::server_options();
  server.client_ca_file = TlsPair::certificates().ca_file();
  const auto bad = TlsPair::certificates().issue_for("mallory");
  server.crl_file = TlsPair::certificates().revoke({bad});
  const auto mallory = others.issue_for("mallory");
  const auto old = TlsPair::certificates().issue({.from = -9, .until = -2});
  struct Row {
    CertificatePair shown;
    Fault fault;
    const char* said;
  };
  for (const auto& row :
       std::vector<Row>{{{}, Fault::tls_failed, "the peer says: certificate required"},
                        {mallory, Fault::certificate_untrusted, "the peer says: unknown CA"},
                        {bad, Fault::certificate_revoked, "the peer says: certificate revoked"},
                        {old, Fault::certificate_expired, "the peer says: certificate expired"}}) {
    auto client = TlsPair::client_options();
    client.certificate_file = row.shown.certificate_file;
    client.key_file = row.shown.key_file;
    TlsPair pair;
    pair.connect(server, client);
    EXPECT_FALSE(pair.b);
    EXPECT_EQ(pair.server_fault, row.fault) << pair.server_sentence;
    ASSERT_TRUE(pair.a) << "in TLS 1.3 a client hears of it later: " << pair.client_sentence;
    EXPECT_EQ(read_all(pair.loop, *pair.a), "!" + std::to_string(EPROTO));
    EXPECT_THAT(tls_failure(*pair.a), HasSubstr(row.said));
  }
}

TEST(Tls, chooses_the_certificate_by_the_name_asked_for) {
  auto& certificates = TlsPair::certificates();
  const TlsServerOptions options{.certificates = {TlsPair::localhost(),
                                                  certificates.issue_for("*.example.org"),
                                                  certificates.issue_for("chat.example.org")}};
  struct Row {
    const char* name;
    const char* shown;
  };
  for (const auto& row :
       {Row{"localhost", "CN=localhost"}, Row{"a.example.org", "CN=*.example.org"},
        Row{"chat.example.org", "CN=chat.example.org"},
        Row{"CHAT.example.org", "CN=chat.example.org"}, Row{"elsewhere.test", "CN=localhost"},
        Row{"127.0.0.1", "CN=localhost"}}) {
    auto client = TlsPair::client_options();
    client.dangerously_accept_any_certificate = true;
    TlsPair pair;
    pair.connect(options, client, row.name);
    ASSERT_TRUE(pair.a) << pair.client_sentence;
    EXPECT_EQ(pair.client_info().peer.subject, row.shown) << row.name;
  }
}

TEST(Tls, a_long_name_is_found_as_well) {
  std::string name;
  for (int i = 0; i < 4; ++i) name += std::string(60, 'a') + '.';
  name += "test";
  const auto pair_of_it = TlsPair::certificates().issue({.names = {"other", name}});
  TlsPair pair;
  pair.connect({.certificates = {TlsPair::localhost(), pair_of_it}}, TlsPair::client_options(),
               name);
  ASSERT_TRUE(pair.a) << pair.client_sentence;
  EXPECT_EQ(pair.client_info().peer.names.back(), name);
}

TEST(Tls, mutual_holds_for_each_name_that_is_asked_for) {
  Certificates others{"Somebody Else"};
  auto& certificates = TlsPair::certificates();
  const auto bad = certificates.issue_for("mallory");
  const TlsServerOptions options{
      .certificates = {TlsPair::localhost(), certificates.issue_for("chat.example.org")},
      .client_ca_file = certificates.ca_file(),
      .crl_file = certificates.revoke({bad})};
  struct Row {
    CertificatePair shown;
    std::optional<Fault> fault;
  };
  for (const auto& row : std::vector<Row>{{certificates.issue_for("alice"), std::nullopt},
                                          {{}, Fault::tls_failed},
                                          {others.issue_for("alice"), Fault::certificate_untrusted},
                                          {bad, Fault::certificate_revoked}}) {
    auto client = TlsPair::client_options();
    client.certificate_file = row.shown.certificate_file;
    client.key_file = row.shown.key_file;
    TlsPair pair;
    pair.connect(options, client, "chat.example.org");
    EXPECT_EQ(pair.server_fault, row.fault) << pair.server_sentence;
    EXPECT_EQ(pair.b != nullptr, !row.fault);
    EXPECT_EQ(pair.b ? pair.server_info().peer.subject : "", row.fault ? "" : "CN=alice");
  }
}

TEST(Tls, the_subject_is_no_name) {
  const auto old_fashioned =
      TlsPair::certificates().issue({.names = {"localhost"}, .lists_names = false});
  TlsPair pair;
  pair.connect({.certificates = {old_fashioned}});
  EXPECT_EQ(pair.client_error, Fault::certificate_wrong_name);
  EXPECT_THAT(pair.client_sentence, StartsWith("CN=localhost is for no name"));
}

TEST(Tls, a_name_that_begins_with_a_dot_is_none) {
  TlsPair pair;
  pair.connect(TlsPair::server_options(), TlsPair::client_options(), ".rooms.example");
  EXPECT_EQ(pair.client_error, Fault::bad_option);
}

TEST(Tls, made_for_trying_out_is_for_this_machine_and_the_names_given) {
  const TlsServerOptions options{.self_signed = true, .self_signed_names = {"box.lan", "10.0.0.1"}};
  const auto server = std::make_shared<TlsServer>(options);
  EXPECT_THAT(
      server->certificates(),
      ::testing::ElementsAre(StartsWith("localhost, 127.0.0.1, ::1, box.lan, 10.0.0.1 (until 2")));
  TlsPair pair;
  pair.connect(server, make_tls_client(TlsPair::client_options()));
  EXPECT_EQ(pair.client_error, Fault::certificate_self_signed) << pair.client_sentence;
}

TEST(Tls, connecting_may_be_given_up_at_any_moment) {
  for (int rounds = 0; rounds < 20; ++rounds) {
    TlsPair pair{MemoryStreamOptions{.largest_transfer = 300}};
    {
      TaskGroup group;
      pair.loop.call(
          [&] { group.spawn(pair.dial(make_tls_client(TlsPair::client_options()), "localhost")); });
      pair.accept = std::make_unique<TlsPair::Accept>(
          pair, std::make_shared<TlsServer>(TlsPair::server_options()));
      for (int i = 0; i < rounds; ++i) pair.loop->context().poll_one();
    }
    pair.loop.settle();
  }
}

}  // namespace
}  // namespace hotline
