// Who may connect, and when a connection is counted no more.
#include "http/admission.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/http/observer.h>
#include <hotline/net/byte_stream.h>

#include "http/site_fixture.h"

namespace hotline::http {
namespace {

using testing::answer;
using testing::Client;
using testing::get;
using testing::last_answer;
using Site = testing::Site;
using namespace std::chrono_literals;

class Notes final : public ServerObserver {
 public:
  void connection_opened(const Address& remote) noexcept override {
    lines.push_back("+" + remote.host());
  }
  void connection_closed(const Address& remote) noexcept override {
    lines.push_back("-" + remote.host());
  }
  void connection_refused(std::string_view reason, const Address& remote) noexcept override {
    lines.push_back("!" + remote.host() + " " + std::string(reason));
  }
  std::vector<std::string> take() { return std::exchange(lines, {}); }
  std::vector<std::string> lines;
};
using Lines = std::vector<std::string>;

Address at(const std::string& text) { return *Address::parse(text, 4711); }

std::string turned_away(const std::string& status) {
  return "HTTP/1.1 " + status + "\r\nConnection: close\r\n" +
         "Content-Type: text/plain; charset=utf-8\r\nRetry-After: 7\r\nContent-Length: " +
         std::to_string(status.size() + 1) + "\r\n\r\n" + status + "\n";
}

TEST(Admission, answers_503_when_the_server_is_full) {
  const auto notes = std::make_shared<Notes>();
  Site site{{.max_connections = 2, .retry_after = 7s, .observer = notes}};
  site.handle_ok();
  auto first = site.connect_from(at("192.0.2.1"));
  auto second = site.connect_from(Address::unix_socket());
  EXPECT_EQ(notes->take(), (Lines{"+192.0.2.1", "+unix"}));
  auto third = site.connect_from(at("192.0.2.3"));
  EXPECT_EQ(third.receive(), turned_away("503 Service Unavailable"));
  EXPECT_EQ(notes->take(), (Lines{"!192.0.2.3 full"}));
  third.hang_up();
  first.hang_up();
  EXPECT_EQ(notes->take(), (Lines{"-192.0.2.1"})) << "who was refused was never there";
  EXPECT_EQ(site.connections(), 1u);
  auto fourth = site.connect();
  EXPECT_EQ(fourth.exchange(get("/ok")), answer("200 OK", "ok\n"));
}

TEST(Admission, does_not_count_towards_its_address_who_found_the_server_full) {
  Site site{{.max_connections = 1, .max_connections_per_address = 2, .retry_after = 7s}};
  site.handle_ok();
  auto first = site.connect_from(at("192.0.2.1"));
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(site.connect_from(at("192.0.2.1")).receive(), turned_away("503 Service Unavailable"));
  }
  first.hang_up();
  EXPECT_EQ(site.connect_from(at("192.0.2.1")).exchange(get("/ok")), answer("200 OK", "ok\n"));
}

TEST(Admission, answers_only_so_many_at_a_time_whom_it_turns_away) {
  Site site{{.max_connections = 1, .retry_after = 7s}};
  auto first = site.connect();
  std::vector<Client> turned;
  for (int i = 0; i < 1000; ++i) turned.push_back(site.connect());
  EXPECT_EQ(turned.back().receive(), turned_away("503 Service Unavailable"));
  auto closed = site.connect();
  EXPECT_EQ(closed.receive(), "");
  EXPECT_TRUE(closed.ended());
  turned.front().hang_up();
  EXPECT_EQ(site.connect().receive(), turned_away("503 Service Unavailable"));
}

TEST(Admission, answers_429_when_one_client_has_too_many) {
  const auto notes = std::make_shared<Notes>();
  Site site{{.max_connections_per_address = 2, .retry_after = 7s, .observer = notes}};
  site.handle_ok();
  auto first = site.connect_from(at("2001:db8::1"));
  auto second = site.connect_from(at("2001:db8::2"));
  auto third = site.connect_from(at("2001:db8::3"));
  EXPECT_EQ(third.receive(), turned_away("429 Too Many Requests"));
  EXPECT_EQ(notes->take(),
            (Lines{"+2001:db8::1", "+2001:db8::2", "!2001:db8::3 too many of one address"}));
  auto other = site.connect_from(at("192.0.2.1"));
  EXPECT_EQ(other.exchange(get("/ok")), answer("200 OK", "ok\n"));
  first.hang_up();
  auto next = site.connect_from(at("2001:db8::4"));
  EXPECT_EQ(next.exchange(get("/ok")), answer("200 OK", "ok\n"));
}

TEST(Admission, closes_at_once_what_comes_too_fast) {
  const auto notes = std::make_shared<Notes>();
  Site site{{.connection_rate = 1, .connection_burst = 3, .observer = notes}};
  site.handle_ok();
  for (int i = 0; i < 3; ++i) {
    auto client = site.connect_from(at("192.0.2.1"));
    EXPECT_EQ(client.exchange(get("/ok")), answer("200 OK", "ok\n"));
  }
  site.loop.settle();
  notes->take();
  auto fourth = site.connect_from(at("192.0.2.1"));
  EXPECT_TRUE(fourth.ended());
  EXPECT_EQ(notes->take(), (Lines{"!192.0.2.1 too fast from one address"}));
  site.loop.advance(1s);
  auto fifth = site.connect_from(at("192.0.2.1"));
  EXPECT_EQ(fifth.exchange(get("/ok")), answer("200 OK", "ok\n"));
}

TEST(Admission, does_not_count_who_speaks_for_many) {
  Site site{{.max_connections_per_address = 1,
             .connection_rate = 1,
             .connection_burst = 1,
             .trusted_proxies = {"10.0.0.0/8"}}};
  site.handle_ok();
  std::vector<Client> clients;
  for (const auto& address :
       {at("127.0.0.1"), at("::1"), at("10.0.0.1"), Address::unix_socket(), Address{}}) {
    for (int i = 0; i < 3; ++i) {
      clients.push_back(site.connect_from(address));
      EXPECT_EQ(clients.back().exchange(get("/ok")), answer("200 OK", "ok\n"));
    }
  }
  EXPECT_EQ(site.connections(), 15u);
}

TEST(Admission, says_now_and_then_in_the_log_that_it_turns_away) {
  Site site{{.max_connections = 1}};
  auto first = site.connect();
  const auto& log = site.loop.log();
  for (int i = 0; i < 5; ++i) site.connect_from(at("192.0.2.1"));
  EXPECT_EQ(log.warnings, 1);
  EXPECT_EQ(log.lines.size(), 5u) << "the others for who looks for them";
  EXPECT_EQ(log.lines[0], "turned away a connection from 192.0.2.1:4711: full");
  site.loop.advance(9s);
  site.connect_from(at("192.0.2.1"));
  EXPECT_EQ(log.warnings, 1);
  site.loop.advance(1s);
  site.connect_from(at("192.0.2.1"));
  EXPECT_EQ(log.warnings, 2);
}

TEST(Admission, counts_a_connection_that_was_taken_over_until_it_has_closed) {
  Site site;
  site.handle("/raw", [](Exchange exchange) -> Task<> {
    auto stream = co_await exchange.hijack();
    const bool written = co_await stream.write("bye\n");
    (void)written;
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/raw")), "bye\n");
  EXPECT_EQ(site.handlers(), 0u);
  EXPECT_EQ(site.connections(), 1u) << "it lingers";
  client.hang_up();
  EXPECT_EQ(site.connections(), 0u);
}

TEST(Admission, counts_one_that_closes_until_it_has_closed) {
  Site site;
  site.handle_ok();
  auto client = site.connect();
  client.exchange(get("/ok", "Connection: close\r\n"));
  EXPECT_EQ(site.connections(), 1u);
  site.loop.advance(2s);
  EXPECT_EQ(site.connections(), 0u);
  EXPECT_TRUE(client.ended());
}

TEST(Admission, outlives_its_server_while_a_connection_does) {
  const auto notes = std::make_shared<Notes>();
  hotline::testing::TestLoop loop;
  auto [stream, peer] = make_memory_streams(*loop);
  {
    const ServerOptions options{.observer = notes};
    const auto admission = Admission::make(options, {});
    EXPECT_EQ(admission->admit(*stream, false, {}), Admission::Verdict::welcome);
  }
  EXPECT_EQ(notes->lines.size(), 1u);
  EXPECT_EQ(notes.use_count(), 2);
  stream.reset();
  EXPECT_EQ(notes->lines.size(), 2u);
  EXPECT_EQ(notes.use_count(), 1);
}

// ---- PROXY protocol

/// A site behind proxies in 10.0.0.0/8 that speak PROXY protocol. "/who" tells both ends.
class BehindProxy : public ::testing::Test {
 protected:
  BehindProxy() {
    site.handle_ok();
    site.handle("/who", [](Exchange exchange) -> Task<> {
      const auto& request = exchange.request();
      const auto text = request.remote_address().to_string() + " " +
                        request.local_address().to_string() + " " +
                        request.client_address().to_string() + "\n";
      co_await exchange.respond(Status::ok, text);
    });
  }
  Client connect(const char* proxy = "10.0.0.1") { return site.connect_from(at(proxy)); }

  static ServerOptions options(const std::shared_ptr<Notes>& notes) {
    ServerOptions result;
    result.max_connections = 20;
    result.max_connections_per_address = 2;
    result.trusted_proxies = {"10.0.0.0/8", "unix"};
    result.proxy_protocol = true;
    result.head_timeout = 5s;
    result.observer = notes;
    return result;
  }

  const std::string header = "PROXY TCP4 192.0.2.7 198.51.100.1 4711 443\r\n";
  const std::string who = answer("200 OK", "192.0.2.7:4711 198.51.100.1:443 192.0.2.7:4711\n");
  std::shared_ptr<Notes> notes = std::make_shared<Notes>();
  Site site{options(notes)};
};

TEST_F(BehindProxy, gives_the_connection_the_address_of_the_client) {
  auto client = connect();
  EXPECT_EQ(notes->take(), Lines{}) << "nobody has come yet";
  EXPECT_EQ(site.connections(), 1u);
  EXPECT_EQ(client.exchange(header + get("/who") + get("/ok")), who + answer("200 OK", "ok\n"));
  EXPECT_EQ(client.exchange(get("/who")), who);
  EXPECT_EQ(notes->take(), (Lines{"+192.0.2.7"}));
  client.hang_up();
  EXPECT_EQ(notes->take(), (Lines{"-192.0.2.7"}));
  EXPECT_EQ(site.connections(), 0u);
}

TEST_F(BehindProxy, takes_its_header_however_it_is_cut) {
  auto bytewise = connect();
  bytewise.send_bytewise(header + get("/who"));
  EXPECT_EQ(bytewise.receive(), who);
  bytewise.hang_up();
  const auto whole = header + get("/who");
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    auto client = connect();
    client.send(whole.substr(0, cut));
    EXPECT_EQ(client.exchange(whole.substr(cut)), who) << cut;
    client.hang_up();
    site.loop.advance(1s);  // or else they come too fast
  }
}

TEST_F(BehindProxy, takes_version_2_and_what_names_nobody) {
  using namespace std::string_literals;
  const auto version2 =
      "\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\xc0\x00\x02\x07\xc6\x33\x64\x01\x12\x67\x01\xbb"s;
  EXPECT_EQ(connect().exchange(version2 + get("/who")), who);
  EXPECT_EQ(connect().exchange("PROXY UNKNOWN\r\n" + get("/who")),
            answer("200 OK", "10.0.0.1:4711 - 10.0.0.1:4711\n"));
  auto local = site.connect_from(Address::unix_socket());
  EXPECT_EQ(local.exchange("\r\n\r\n\0\r\nQUIT\n\x20\0\0\0"s + get("/who")),
            answer("200 OK", "unix - unix\n"));
}

TEST_F(BehindProxy, believes_no_forwarded_field_of_somebody_whom_the_proxy_does_not_name) {
  using namespace std::string_literals;
  const auto forged = get("/who", "X-Forwarded-For: 203.0.113.9\r\n");
  const auto unnamed = answer("200 OK", "10.0.0.1:4711 - 10.0.0.1:4711\n");
  const auto signature = "\r\n\r\n\0\r\nQUIT\n"s;
  for (const auto& nobody :
       {"PROXY UNKNOWN\r\n"s, "PROXY UNKNOWN 10.0.0.9 10.0.0.1 1 1\r\n"s, signature + "\x20\0\0\0"s,
        signature + "\x21\0\0\0"s, signature + "\x21\x31\0\xd8"s + std::string(216, 'p')}) {
    EXPECT_EQ(connect().exchange(nobody + forged), unnamed);
  }
  EXPECT_EQ(connect().exchange(header + forged), who) << "named, but no proxy";
  EXPECT_EQ(connect().exchange("PROXY TCP4 10.0.0.9 10.0.0.1 1 1\r\n" + forged),
            answer("200 OK", "10.0.0.9:1 10.0.0.1:1 203.0.113.9:0\n"))
      << "a proxy before the proxy";
}

TEST_F(BehindProxy, refuses_who_is_not_trusted_and_what_is_no_header) {
  auto stranger = connect("192.0.2.7");
  EXPECT_TRUE(stranger.ended());
  EXPECT_EQ(notes->take(), (Lines{"!192.0.2.7 untrusted"}));
  auto silent = connect();
  silent.send(get("/ok"));
  EXPECT_EQ(silent.receive(), "");
  EXPECT_TRUE(silent.ended());
  EXPECT_EQ(notes->take(), (Lines{"!10.0.0.1 no PROXY protocol"}));
  EXPECT_EQ(site.connections(), 0u);
  EXPECT_NE(site.loop.log().lines.back().find("(no PROXY protocol)"), std::string::npos)
      << site.loop.log().lines.back();
}

TEST_F(BehindProxy, gives_the_header_as_long_as_a_request_s_head) {
  auto slow = connect();
  slow.send("PROXY ");
  site.loop.advance(4s);
  slow.send("TCP4 ");
  site.loop.advance(999ms);
  EXPECT_EQ(site.connections(), 1u);
  site.loop.advance(1ms);
  EXPECT_TRUE(slow.ended());
  EXPECT_EQ(site.connections(), 0u);
}

TEST_F(BehindProxy, counts_the_clients_that_it_is_told) {
  auto first = connect();
  first.send(header);
  auto second = connect();
  second.send(header);
  auto third = connect("10.0.0.2");
  const auto refusal = third.exchange(header + get("/who"));
  EXPECT_EQ(refusal.substr(0, 21), "HTTP/1.1 429 Too Many");
  auto other = connect();
  EXPECT_EQ(other.exchange("PROXY TCP4 127.0.0.1 127.0.0.1 1 1\r\n" + get("/ok")),
            answer("200 OK", "ok\n"));
  EXPECT_EQ(notes->take(), (Lines{"+192.0.2.7", "+192.0.2.7", "!192.0.2.7 too many of one address",
                                  "+127.0.0.1"}));
}

TEST_F(BehindProxy, counts_towards_the_whole_who_has_not_said_yet) {
  std::vector<Client> silent;
  for (int i = 0; i < 20; ++i) silent.push_back(connect());
  auto last = connect();
  EXPECT_EQ(last.receive().substr(0, 12), "HTTP/1.1 503");
  silent[0].hang_up();
  EXPECT_EQ(connect().exchange(header + get("/who")), who);
}

TEST_F(BehindProxy, drains_those_who_have_not_said_who_they_are) {
  auto silent = connect();
  auto begun = connect();
  begun.send("PROXY ");
  auto ready = connect();
  site.loop->drain();
  site.loop.settle();
  EXPECT_TRUE(silent.ended());
  EXPECT_TRUE(ready.ended());
  EXPECT_EQ(site.connections(), 1u) << "who has begun has a second";
  site.loop.advance(999ms);
  EXPECT_EQ(site.connections(), 1u);
  site.loop.advance(1ms);
  EXPECT_TRUE(begun.ended());
  EXPECT_EQ(site.connections(), 0u);
}

TEST_F(BehindProxy, answers_what_was_under_way_when_a_drain_began) {
  auto [server, peer] = make_memory_streams(*site.loop);
  server->set_addresses(at("10.0.0.1"), {});
  const auto bytes = header + get("/who");
  ASSERT_EQ(peer->try_write(bytes).size, bytes.size());
  site.serve(std::move(server));
  site.drain();
  Client client{*site.loop, std::move(peer)};
  EXPECT_EQ(client.receive(),
            last_answer("200 OK", "192.0.2.7:4711 198.51.100.1:443 192.0.2.7:4711\n"));
}

TEST_F(BehindProxy, drains_who_has_said_nothing_but_who_it_is) {
  auto [server, peer] = make_memory_streams(*site.loop);
  server->set_addresses(at("10.0.0.1"), {});
  ASSERT_EQ(peer->try_write(header).size, header.size());
  site.serve(std::move(server));
  site.drain();
  Client client{*site.loop, std::move(peer)};
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(site.connections(), 0u);
}

TEST_F(BehindProxy, gives_a_header_that_is_just_coming_a_second_in_a_drain) {
  auto [server, peer] = make_memory_streams(*site.loop);
  server->set_addresses(at("10.0.0.1"), {});
  const auto begun = header.substr(0, 10);
  ASSERT_EQ(peer->try_write(begun).size, begun.size());
  site.serve(std::move(server));
  site.drain();
  site.loop.advance(999ms);
  EXPECT_EQ(site.connections(), 1u);
  site.loop.advance(1ms);
  EXPECT_EQ(site.connections(), 0u);
}

TEST_F(BehindProxy, gives_a_header_in_a_drain_no_more_time_than_it_had) {
  auto [server, peer] = make_memory_streams(*site.loop);
  server->set_addresses(at("10.0.0.1"), {});
  site.serve(std::move(server));
  site.loop.advance(4500ms);
  ASSERT_EQ(peer->try_write(header.substr(0, 10)).size, 10u);
  site.drain();
  site.loop.advance(499ms);
  EXPECT_EQ(site.connections(), 1u);
  site.loop.advance(1ms);
  EXPECT_EQ(site.connections(), 0u);
}

TEST(TrustedProxy, says_who_asks_and_how) {
  Site site{{.trusted_proxies = {"10.0.0.0/8"}}};
  site.handle("/who", [](Exchange exchange) -> Task<> {
    const auto& request = exchange.request();
    std::string text = request.client_address().host() + " ";
    text.append(request.scheme()).append(" ").append(request.host()).append(" ");
    text.append(request.is_secure() ? "secure" : "plain").append("\n");
    co_await exchange.respond(Status::ok, text);
  });
  const std::string fields =
      "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Proto: https\r\nX-Forwarded-Host: outer:8443\r\n";
  EXPECT_EQ(site.connect_from(at("10.0.0.1")).exchange(get("/who", fields)),
            answer("200 OK", "192.0.2.7 https outer:8443 secure\n"));
  EXPECT_EQ(site.connect_from(at("192.0.2.9")).exchange(get("/who", fields)),
            answer("200 OK", "192.0.2.9 http localhost plain\n"));
}

}  // namespace
}  // namespace hotline::http
