#pragma once

#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <hotline/websocket/upgrader.h>

#include "http/site_fixture.h"
#include "support/frames.h"

namespace hotline::websocket {

using hotline::testing::close_payload;
using hotline::testing::from_client;
using hotline::testing::from_server;
using http::testing::Client;
using http::testing::Site;

// As in connection_fixture.h.
inline Task<> echo(Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
}

/// The sample handshake of RFC 6455 1.3, with more header fields where a test wants them.
inline std::string handshake(std::string_view more = {}, std::string_view path = "/echo") {
  return "GET " + std::string(path) +
         " HTTP/1.1\r\n"
         "Host: localhost\r\n"
         "Upgrade: websocket\r\n"
         "Connection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
         "Sec-WebSocket-Version: 13\r\n" +
         std::string(more) + "\r\n";
}

inline const std::string accepted =
    "HTTP/1.1 101 Switching Protocols\r\n"
    "Connection: Upgrade\r\n"
    "Upgrade: websocket\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";

/// A site whose route /echo is upgraded.
class UpgraderTest : public ::testing::Test {
 protected:
  void serve(UpgraderOptions options = {}) {
    const Upgrader upgrader{std::move(options)};
    site.handle("/echo", upgrader.handler(echo));
  }
  void bye(Client& client) {
    client.exchange(from_client(8, close_payload(1000)));
    client.hang_up();
    site.loop.advance(std::chrono::seconds(10));
  }

  Site site;
};

}  // namespace hotline::websocket
