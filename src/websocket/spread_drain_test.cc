// A drain that spreads: each connection hears its 1001 at a moment of its own.
#include <list>
#include <string>

#include <gtest/gtest.h>

#include <hotline/net/sleep.h>
#include <hotline/websocket/upgrader.h>

#include "http/site_fixture.h"
#include "support/frames.h"

namespace hotline::websocket {
namespace {

using hotline::testing::close_payload;
using hotline::testing::from_client;
using hotline::testing::from_server;
using http::testing::Client;
using http::testing::Site;
using namespace std::chrono_literals;

const std::string handshake =
    "GET / HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

Task<> echo(Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(*message);
  }
}

// Hears of the drain at once, by an exception.
Task<> tick(Connection connection) {
  for (;;) {
    co_await sleep(1h);
    co_await connection.write("tick");
  }
}

/// Connections that drain within 5 s.
class SpreadDrain : public ::testing::Test {
 protected:
  static constexpr std::size_t count = 50;

  void serve(Task<> (*handler)(Connection)) {
    const Upgrader upgrader;
    site.handle("/", upgrader.handler(handler));
    for (std::size_t i = 0; i < count; ++i) {
      clients.push_back(site.connect());
      EXPECT_EQ(clients.back().exchange(handshake).substr(0, 12), "HTTP/1.1 101");
    }
  }
  // How many have heard of it just now.
  std::size_t hear() {
    std::size_t heard = 0;
    for (auto at = clients.begin(); at != clients.end();) {
      const auto bytes = at->receive();
      if (bytes.empty()) {
        ++at;
        continue;
      }
      EXPECT_EQ(bytes, from_server(8, close_payload(1001, "the server drains")));
      at->send(from_client(8, close_payload(1001)));
      at->hang_up();
      at = clients.erase(at);
      ++heard;
    }
    return heard;
  }
  void expect_spread() {
    EXPECT_EQ(hear(), 0u) << "not all at once";
    for (int second = 0; second < 5; ++second) {
      site.loop.advance(1s);
      const auto heard = hear();
      EXPECT_GE(heard, 2u) << second;
      EXPECT_LE(heard, count / 2) << second;
    }
    EXPECT_TRUE(clients.empty());
    site.loop.settle();
    EXPECT_EQ(site.handlers(), 0u);
    EXPECT_EQ(site.connections(), 0u);
  }

  Site site;
  std::list<Client> clients;
};

TEST_F(SpreadDrain, tells_each_connection_at_a_moment_of_its_own) {
  serve(echo);
  site.loop->drain(5s);
  expect_spread();
}

TEST_F(SpreadDrain, lets_a_connection_go_on_until_then) {
  serve(echo);
  site.loop->drain(5s);
  for (auto& client : clients) {
    EXPECT_EQ(client.exchange(from_client(1, "still here")), from_server(1, "still here"));
  }
  expect_spread();
}

TEST_F(SpreadDrain, spreads_those_whose_handlers_have_left_at_once) {
  serve(tick);
  site.loop->drain(5s);
  site.loop.settle();
  EXPECT_EQ(site.handlers(), 0u);
  for (auto& client : clients) client.send(from_client(1, "nobody reads this"));
  expect_spread();
}

TEST_F(SpreadDrain, ends_sooner_for_who_hangs_up) {
  serve(echo);
  site.loop->drain(5s);
  for (auto& client : clients) client.hang_up();
  site.loop.settle();
  EXPECT_EQ(site.connections(), 0u);
  EXPECT_EQ(site.handlers(), 0u);
  clients.clear();
}

}  // namespace
}  // namespace hotline::websocket
