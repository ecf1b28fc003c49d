#include <hotline/websocket/byte_tunnel.h>

#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

class ByteTunnelTest : public ConnectionTest {};

INSTANTIATE_TEST_SUITE_P(Both, ByteTunnelTest, ::testing::Values(Role::server, Role::client),
                         [](const auto& parameter) {
                           return parameter.param == Role::server ? "server" : "client";
                         });

Task<> read_all(ByteTunnel tunnel, std::size_t at_once, std::string& out) {
  std::string buffer(at_once, '\0');
  try {
    while (const auto count = co_await tunnel.read_some(buffer)) out += buffer.substr(0, count);
    out += "|";
  } catch (const Error& error) {
    out += error.code() == Fault::connection_reset ? "!" : "?";
  }
}

TEST_P(ByteTunnelTest, joins_messages_of_both_kinds) {
  for (const std::size_t at_once : {1u, 2u, 1000u}) {
    for (const std::size_t most : {0u, 1u}) {
      MemoryStreamOptions options;
      options.largest_transfer = most;
      Line line{GetParam(), {}, options};
      std::string out;
      line.loop.run(read_all(ByteTunnel{line.connect()}, at_once, out));
      line.send(line.frame(text, "one ") + line.frame(binary, "") + line.frame(binary, "t", false) +
                line.frame(0, "", false) + line.frame(0, "wo") + line.frame(binary, "!"));
      EXPECT_EQ(out, "one two!");
      line.send(line.close_frame(1000));
      EXPECT_EQ(out, "one two!|");
    }
  }
}

TEST_P(ByteTunnelTest, tells_a_loss_from_an_end) {
  for (const bool within_a_message : {false, true}) {
    Line line{GetParam()};
    std::string out;
    line.loop.run(read_all(ByteTunnel{line.connect()}, 10, out));
    line.send(line.frame(binary, "x", !within_a_message));
    line.peer.reset();
    line.loop.settle();
    EXPECT_EQ(out, "x!");
  }
}

TEST_P(ByteTunnelTest, writes_binary_messages) {
  Line line{GetParam()};
  auto writer = [](ByteTunnel tunnel) -> Task<> {
    const bool none = co_await tunnel.write("");
    const bool some = co_await tunnel.write("some");
    EXPECT_TRUE(none && some);
    co_await tunnel.connection().close();
    const bool late = co_await tunnel.write("late");
    EXPECT_FALSE(late);
  };
  line.loop.run(writer(ByteTunnel{line.connect()}));
  EXPECT_EQ(line.next(), "binary:some");
  EXPECT_EQ(line.next(), "close:1000");
  line.send(line.close_frame(1000));
}

TEST_P(ByteTunnelTest, a_read_that_is_cancelled_consumes_nothing) {
  Line line{GetParam()};
  std::string out;
  auto patient = [](ByteTunnel tunnel, std::string& log) -> Task<> {
    auto read = [](ByteTunnel& from, std::string& to) -> Task<> {
      char buffer[10];
      const auto count = co_await from.read_some(buffer);
      to.append(buffer, count);
    };
    while (log.size() < 5) {
      try {
        co_await deadline(1s, read(tunnel, log));
      } catch (const Error&) {
        log += ".";
      }
    }
  };
  line.loop.run(patient(ByteTunnel{line.connect()}, out));
  line.loop.advance(1s);
  const auto bytes = line.frame(binary, "ab");
  line.send(bytes.substr(0, bytes.size() - 1));
  line.loop.advance(1s);
  line.send(bytes.substr(bytes.size() - 1));
  line.loop.advance(1s);
  EXPECT_EQ(out, ".a.b.");
}

}  // namespace
}  // namespace hotline::websocket
