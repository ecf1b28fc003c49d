// Certificates and their files.
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <thread>

#include <gmock/gmock.h>
#include <openssl/ssl.h>

#include "net/tls_fixture.h"

namespace hotline {
namespace {

using testing::Certificates;
using ::testing::HasSubstr;
using ::testing::StartsWith;

std::string complaint(const auto& function) {
  try {
    function();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Fault::bad_option);
    return error.what();
  }
  return "none";
}

TEST(TlsServer, takes_new_files_for_handshakes_to_come) {
  Certificates certificates;
  const auto first = certificates.issue_for("localhost");
  const auto second = certificates.issue({.names = {"localhost", "second"}});
  const auto server = std::make_shared<TlsServer>(TlsServerOptions{.certificates = {first}});
  EXPECT_FALSE(server->files_changed());
  const auto client = make_tls_client({.ca_file = certificates.ca_file()});
  TlsPair before;
  before.connect(server, client);
  std::filesystem::rename(second.certificate_file, first.certificate_file);
  EXPECT_TRUE(server->files_changed());
  EXPECT_THAT(complaint([&] { server->reload(); }), HasSubstr("is not the key of"));
  EXPECT_FALSE(server->files_changed()) << "it has been seen";
  TlsPair between;
  between.connect(server, client);
  ASSERT_TRUE(between.a);
  EXPECT_EQ(between.client_info().peer.names.size(), 1u) << "the old one still";
  std::filesystem::rename(second.key_file, first.key_file);
  EXPECT_TRUE(server->files_changed());
  server->reload();
  TlsPair after;
  after.connect(server, client);
  ASSERT_TRUE(after.a);
  EXPECT_EQ(after.client_info().peer.names.size(), 2u);
  before.a->try_write(span_of("still here"));
  EXPECT_EQ(read_all(before.loop, *before.b), "still here");
}

TEST(TlsServer, does_not_take_older_files_than_it_has) {
  Certificates certificates;
  const auto shown = certificates.issue_for("localhost");
  const auto newer = certificates.issue({.names = {"localhost", "newer"}});
  const TlsServerOptions options{.certificates = {shown}};
  TlsServer server{options};
  // Who reads the older ones is not through before the newer ones have been read.
  const auto pipe = certificates.path("pipe");
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  const auto older = certificates.path("older");
  std::filesystem::copy_file(shown.certificate_file, older);
  std::filesystem::copy_file(shown.key_file, older + ".key");
  std::filesystem::rename(pipe, shown.certificate_file);
  std::thread slow{[&] { EXPECT_THAT(complaint([&] { server.reload(); }), HasSubstr("none")); }};
  std::ofstream into_pipe{shown.certificate_file};  // waits until it is read
  std::filesystem::rename(newer.certificate_file, shown.certificate_file);
  std::filesystem::rename(newer.key_file, shown.key_file);
  server.reload();
  std::filesystem::rename(older + ".key", shown.key_file);
  into_pipe << std::ifstream{older}.rdbuf();
  into_pipe.close();
  slow.join();
  EXPECT_THAT(server.certificates(), ::testing::ElementsAre(StartsWith("localhost, newer (")));
}

TEST(TlsServer, names_the_file_that_is_wrong) {
  auto& certificates = TlsPair::certificates();
  const auto& good = TlsPair::localhost();
  const auto other = certificates.issue_for("other");
  const auto junk = certificates.file("junk", "no certificate");
  const auto broken =
      certificates.file("broken", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
  const auto with = [](CertificatePair pair) {
    return complaint([&] { TlsServer server{TlsServerOptions{.certificates = {pair}}}; });
  };
  EXPECT_THAT(with({"/nowhere/x.pem", good.key_file}),
              StartsWith("certificate_file: \"/nowhere/x.pem\" cannot be read: No such file"));
  EXPECT_THAT(with({good.certificate_file, "/nowhere/x.key"}),
              StartsWith("key_file: \"/nowhere/x.key\" cannot be read"));
  EXPECT_THAT(with({junk, good.key_file}), HasSubstr("has no certificate in it"));
  EXPECT_THAT(with({broken, good.key_file}), HasSubstr("has a malformed certificate in it"));
  EXPECT_THAT(with({good.certificate_file, junk}), HasSubstr("has no private key in it"));
  EXPECT_THAT(with({good.certificate_file, other.key_file}), HasSubstr("is not the key of"));
  const auto rsa = certificates.issue({.names = TlsPair::localhost_names(), .rsa = true});
  EXPECT_THAT(complaint([&] {
                TlsServer server{{.certificates = {rsa, {good.certificate_file, rsa.key_file}}}};
              }),
              HasSubstr("is not the key of"))
      << "though it is the key of the other of these names";
  EXPECT_THAT(complaint([] { TlsServer server{{.self_signed = true, .crl_file = "x"}}; }),
              StartsWith("crl_file: client_ca_file must say"));
  EXPECT_THAT(complaint([] { TlsServer server{{.self_signed = true, .client_ca_file = "/x"}}; }),
              StartsWith("client_ca_file: \"/x\" cannot be read"));
  EXPECT_THAT(complaint([] { make_tls_client({.certificate_file = "/x"}); }),
              StartsWith("certificate_file and key_file: both or neither"));
  EXPECT_THAT(complaint([] { make_tls_client({.ca_file = "/x"}); }), StartsWith("ca_file: \"/x\""));
}

// An RSA certificate and an ECDSA one for the same names, behind another; clients that know both
// kinds or one.
struct TwoKinds {
  CertificatePair rsa = TlsPair::certificates().issue({.names = {"two", "kinds"}, .rsa = true});
  CertificatePair ecdsa = TlsPair::certificates().issue({.names = {"kinds", "two"}});
  std::shared_ptr<TlsServer> server = std::make_shared<TlsServer>(
      TlsServerOptions{.certificates = {TlsPair::localhost(), rsa, ecdsa}});

  /// The kind that is shown: by the common name, which is the first of the names.
  template <typename Restrict>
  std::string shown(Restrict restrict) const {
    const auto client = make_tls_client(TlsPair::client_options());
    restrict(client->context());
    TlsPair pair;
    pair.connect(server, client, "two");
    if (!pair.a || !pair.b) return pair.client_sentence + pair.server_sentence;
    return pair.client_info().peer.subject == "CN=two" ? "RSA" : "ECDSA";
  }
  std::string shown_to_1_2(const char* ciphers) const {
    return shown([&](SSL_CTX* context) {
      SSL_CTX_set_max_proto_version(context, TLS1_2_VERSION);
      SSL_CTX_set_cipher_list(context, ciphers);
    });
  }
  std::string shown_to_1_3(const char* algorithms) const {
    return shown([&](SSL_CTX* context) { SSL_CTX_set1_sigalgs_list(context, algorithms); });
  }
};

TEST(Tls, shows_the_kind_of_certificate_that_the_client_knows) {
  const TwoKinds two;
  EXPECT_EQ(two.shown_to_1_3("ECDSA+SHA256"), "ECDSA");
  EXPECT_EQ(two.shown_to_1_3("RSA-PSS+SHA256"), "RSA");
  EXPECT_EQ(two.shown_to_1_3("RSA-PSS+SHA256:ECDSA+SHA256"), "ECDSA") << "the cheaper for us";
  EXPECT_EQ(two.shown_to_1_2("ECDHE-ECDSA-AES128-GCM-SHA256"), "ECDSA");
  EXPECT_EQ(two.shown_to_1_2("ECDHE-RSA-AES128-GCM-SHA256"), "RSA");
  EXPECT_EQ(two.shown_to_1_2("ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256"), "ECDSA");
}

TEST(TlsServer, names_each_certificate_of_a_kind) {
  const TwoKinds two;
  EXPECT_THAT(two.server->certificates(),
              ::testing::ElementsAre(StartsWith("localhost, "), StartsWith("two, kinds (until"),
                                     StartsWith("kinds, two (until")));
}

TEST(Tls, of_one_kind_the_first_certificate_is_shown) {
  auto& certificates = TlsPair::certificates();
  const auto first = certificates.issue({.names = {"localhost", "a"}});
  const auto again = certificates.issue({.names = {"a", "localhost"}});
  const auto more = certificates.issue({.names = {"localhost", "a", "b"}, .rsa = true});
  TlsPair pair;
  pair.connect({.certificates = {first, again, more}});
  ASSERT_TRUE(pair.a) << pair.client_sentence;
  EXPECT_THAT(pair.client_info().peer.names, ::testing::ElementsAre("localhost", "a"));
  TlsPair another;
  another.connect({.certificates = {first, again, more}}, TlsPair::client_options(), "b");
  EXPECT_TRUE(another.a) << another.client_sentence;
}

}  // namespace
}  // namespace hotline
