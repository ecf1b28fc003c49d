// TLS at the server: who gets in, and what those are told who do not.
#include "http/tls_preface.h"

#include <cstring>

#include <gmock/gmock.h>

#include "http/site_fixture.h"
#include "net/tls.h"
#include "support/certificates.h"

namespace hotline::http {
namespace {

using hotline::testing::Certificates;
using testing::answer;
using testing::Client;
using testing::get;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Fixture = testing::Site;
using namespace std::chrono_literals;

Certificates& certificates() {
  static Certificates made;
  return made;
}

TlsServerOptions localhost() {
  static const auto pair = certificates().issue_for("localhost");
  return {.certificates = {pair}};
}

ServerOptions with_tls(ServerOptions options = {}) {
  options.tls = localhost();
  return options;
}

// Who it is that asks, as a handler sees it.
Task<> who(Exchange exchange) {
  const auto& request = exchange.request();
  const auto* tls = request.tls();
  std::string text{request.scheme()};
  text += " " + (tls ? tls->version + " " + tls->server_name + " [" + tls->peer.subject + "]"
                     : std::string("none"));
  co_await exchange.respond(Status::ok, text + " " + request.remote_address().host());
}

struct SecureSite : Fixture {
  explicit SecureSite(ServerOptions options = with_tls()) : Fixture(std::move(options)) {
    handle_ok();
    handle("/who", who);
  }

  std::pair<StreamPointer, StreamPointer> wires(const MemoryStreamOptions& options = {}) {
    auto [server, client] = make_memory_streams(*loop, options);
    server->set_addresses(*Address::parse("192.0.2.7", 4711), {});
    return {std::move(server), std::move(client)};
  }
  /// A client that has shaken hands; throws what its handshake throws.
  Client connect_securely(TlsClientOptions options = {}, std::string_view first = {}) {
    options.ca_file = certificates().ca_file();
    auto [server, client] = wires();
    if (!first.empty()) client->try_write(first);
    serve(std::move(server));
    return {*loop, loop.get(tls_connect(std::move(client), make_tls_client(options), "localhost"))};
  }
  /// One that has not.
  Client connect_plainly() {
    auto [server, client] = wires();
    serve(std::move(server));
    loop.settle();
    return {*loop, std::move(client)};
  }
  std::string logged() {
    std::string all;
    for (const auto& line : loop.log().lines) all += line + "\n";
    return all;
  }
};

TEST(TlsServing, a_request_is_https) {
  SecureSite site;
  auto client = site.connect_securely();
  EXPECT_EQ(client.exchange(get("/ok")), answer("200 OK", "ok\n"));
  EXPECT_EQ(client.exchange(get("/who")), answer("200 OK", "https TLSv1.3 localhost [] 192.0.2.7"));
}

TEST(TlsServing, without_tls_a_request_has_none) {
  Fixture site;
  site.handle("/who", who);
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/who")), answer("200 OK", "http none "));
}

TEST(TlsServing, a_client_with_a_certificate_is_known_by_it) {
  auto options = with_tls();
  options.tls.client_ca_file = certificates().ca_file();
  SecureSite site{options};
  const auto alice = certificates().issue_for("alice");
  auto client = site.connect_securely(
      {.certificate_file = alice.certificate_file, .key_file = alice.key_file});
  EXPECT_THAT(client.exchange(get("/who")), HasSubstr("[CN=alice]"));
}

TEST(TlsServing, a_client_without_one_is_turned_away_where_one_is_asked_for) {
  auto options = with_tls();
  options.tls.client_ca_file = certificates().ca_file();
  SecureSite site{options};
  auto client = site.connect_securely();
  EXPECT_EQ(client.exchange(get("/ok")), "");
  EXPECT_TRUE(client.was_reset());
  EXPECT_THAT(site.logged(), HasSubstr("turned away a connection from 192.0.2.7:4711: no TLS ("));
}

TEST(TlsServing, what_is_plain_gets_a_plain_sentence_and_the_end) {
  SecureSite site;
  for (const std::string_view bytes : {"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "x"}) {
    auto client = site.connect_plainly();
    const auto said = client.exchange(bytes);
    EXPECT_THAT(said, StartsWith("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n"));
    EXPECT_THAT(said, HasSubstr("\r\n\r\nthis port speaks TLS: use https:// or wss://\n"));
    EXPECT_TRUE(client.ended());
  }
}

TEST(TlsServing, a_handshake_may_come_in_small_pieces) {
  SecureSite site;
  auto [server, client] = site.wires({.largest_transfer = 9});
  site.serve(std::move(server));
  auto stream = site.loop.get(tls_connect(
      std::move(client), make_tls_client({.ca_file = certificates().ca_file()}), "localhost"));
  Client made{*site.loop, std::move(stream)};
  made.send(get("/ok"));
  EXPECT_EQ(made.receive(), answer("200 OK", "ok\n"));
}

TEST(TlsServing, a_handshake_has_as_long_as_a_head_has) {
  SecureSite site;
  auto silent = site.connect_plainly();
  auto begun = site.connect_plainly();
  begun.send(std::string("\x16\x03\x01\x02\x00", 5));
  auto stuck = site.connect_plainly();
  EXPECT_EQ(site.connections(), 3u) << "they count";
  site.loop.advance(9s);
  EXPECT_EQ(site.connections(), 3u);
  site.loop.advance(2s);
  EXPECT_EQ(site.connections(), 0u);
  EXPECT_TRUE(silent.ended());
  EXPECT_THAT(site.logged(), HasSubstr("no TLS (it took too long)"));
}

TEST(TlsServing, half_handshakes_are_bounded) {
  auto options = with_tls({.max_connections = 5});
  SecureSite site{options};
  std::vector<Client> half;
  for (int i = 0; i < 50; ++i) half.push_back(site.connect_plainly());
  EXPECT_EQ(site.connections(), 5u);
  for (auto& client : half) client.send(std::string("\x16\x03\x01\x02\x00", 5));
  EXPECT_EQ(site.connections(), 5u);
  site.loop.advance(11s);
  EXPECT_EQ(site.connections(), 0u);
  auto client = site.connect_securely();
  EXPECT_EQ(client.exchange(get("/ok")), answer("200 OK", "ok\n"));
}

TEST(TlsServing, who_is_too_many_is_told_so_behind_the_handshake) {
  auto options = with_tls({.max_connections = 1});
  SecureSite site{options};
  auto first = site.connect_securely();
  auto second = site.connect_securely();
  EXPECT_THAT(second.receive(), StartsWith("HTTP/1.1 503 Service Unavailable\r\n"));
  EXPECT_EQ(first.exchange(get("/ok")), answer("200 OK", "ok\n"));
}

TEST(TlsServing, proxy_protocol_comes_first) {
  auto options = with_tls();
  options.proxy_protocol = true;
  options.trusted_proxies = {"192.0.2.7"};
  SecureSite site{options};
  auto client = site.connect_securely({}, "PROXY TCP4 198.51.100.9 192.0.2.1 5000 443\r\n");
  EXPECT_THAT(client.exchange(get("/who")), HasSubstr("https TLSv1.3 localhost [] 198.51.100.9"));
}

TEST(TlsServing, a_client_that_ends_its_sending_gets_all_of_its_answer) {
  SecureSite site;
  site.handle("/large", [](Exchange exchange) -> Task<> {
    co_await exchange.respond(Status::ok, std::string(12'000, 'x'));
  });
  auto [server, wire] = site.wires({.capacity = 2'000});
  site.serve(std::move(server));
  auto stream = site.loop.get(tls_connect(
      std::move(wire), make_tls_client({.ca_file = certificates().ca_file()}), "localhost"));
  Client client{*site.loop, std::move(stream)};
  client.send("GET /large HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  client.shut_down();
  EXPECT_THAT(client.receive(), ::testing::EndsWith("\r\n\r\n" + std::string(12'000, 'x')));
  EXPECT_TRUE(client.ended());
}

TEST(TlsServing, nobody_announces_more_than_a_client_has_to_say) {
  SecureSite site;
  for (const auto& record : {std::string("\x16\x03\x01\x00\x04\x01\x01\xff\xff", 9),
                             std::string("\x16\x03\x01\x00\x01\x01", 6)}) {
    auto client = site.connect_plainly();
    client.send(record);
    EXPECT_EQ(site.connections(), 0u);
    EXPECT_TRUE(client.ended());
  }
  EXPECT_THAT(site.logged(), HasSubstr("no TLS (that is no client's first word)"));
}

TEST(TlsServing, a_client_that_hangs_up_is_no_event) {
  SecureSite site;
  auto client = site.connect_plainly();
  client.hang_up();
  EXPECT_EQ(site.connections(), 0u);
  EXPECT_EQ(site.logged(), "");
}

TEST(TlsServing, a_drain_lets_go_of_whoever_has_said_nothing) {
  SecureSite site;
  auto silent = site.connect_plainly();
  auto begun = site.connect_plainly();
  begun.send(std::string("\x16\x03\x01\x02\x00", 5));
  site.drain();
  EXPECT_EQ(site.connections(), 1u);
  site.loop.advance(2s);
  EXPECT_EQ(site.connections(), 0u);
}

TEST(TlsServing, needs_a_certificate_that_can_be_read) {
  ServerOptions options{.port = 0};
  options.tls.certificates = {{"/nowhere.pem", "/nowhere.key"}};
  ServerCore core{options};
  EXPECT_THROW(core.listen(), Error);
  ServerOptions other{.port = 0};
  other.tls.client_ca_file = certificates().ca_file();
  ServerCore lone{other};
  EXPECT_THROW(lone.listen(), Error) << "whom to ask, and nothing to show";
}

}  // namespace
}  // namespace hotline::http
