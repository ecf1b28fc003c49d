// Round trips, keepalive and observers.
#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

class ControlTest : public ConnectionTest {};

INSTANTIATE_TEST_SUITE_P(Both, ControlTest, ::testing::Values(Role::server, Role::client),
                         [](const auto& parameter) {
                           return parameter.param == Role::server ? "server" : "client";
                         });

// The peer's answer to the ping that has come.
void answer(Line& line) {
  const auto ping = line.next();
  ASSERT_TRUE(ping.starts_with("ping:")) << ping;
  line.send(line.frame(pong_opcode, ping.substr(5)));
}

TEST_P(ControlTest, the_round_trip_time_is_smoothed) {
  Line line{GetParam()};
  auto connection = line.connect();
  EXPECT_EQ(connection.round_trip_time(), std::nullopt);
  auto ping = [](Connection& of) -> Task<> {
    const auto time = co_await of.ping();
    (void)time;
  };
  line.loop.run(ping(connection));
  line.loop.advance(80ms);
  answer(line);
  EXPECT_EQ(connection.round_trip_time(), 80ms) << "the first one as it is";
  line.loop.run(ping(connection));
  line.loop.advance(160ms);
  answer(line);
  EXPECT_EQ(connection.round_trip_time(), 90ms) << "7/8 and 1/8";
}

TEST_P(ControlTest, the_keepalive_measures_too) {
  Line line{GetParam()};
  auto connection = line.connect();
  line.loop.advance(20s);
  line.loop.advance(40ms);
  answer(line);
  EXPECT_EQ(connection.round_trip_time(), 40ms);
}

TEST_P(ControlTest, a_pong_that_nobody_asked_for_measures_nothing) {
  Line line{GetParam()};
  auto connection = line.connect();
  line.send(line.frame(pong_opcode, "12345678") + line.frame(pong_opcode, std::string(8, '\0')) +
            line.frame(pong_opcode, std::string("\1\0\0\0\0\0\0\0", 8)));
  EXPECT_EQ(connection.round_trip_time(), std::nullopt);
}

TEST_P(ControlTest, last_heard_is_the_time_of_the_last_bytes) {
  Line line{GetParam()};
  auto connection = line.connect();
  const auto begin = line.loop.now();
  line.loop.advance(1s);
  EXPECT_EQ(connection.last_heard(), begin);
  line.send(line.frame(ping_opcode, ""));
  EXPECT_EQ(connection.last_heard(), begin + 1s);
  line.loop.advance(1s);
  EXPECT_EQ(connection.last_heard(), begin + 1s);
  line.send(line.frame(text, "x").substr(0, 1));
  EXPECT_EQ(connection.last_heard(), begin + 2s);
}

TEST_P(ControlTest, keepalive_may_be_set_for_a_connection) {
  Line line{GetParam()};
  auto connection = line.connect();
  connection.set_keepalive(3s, 2s);
  line.loop.advance(2999ms);
  EXPECT_EQ(line.next(), "");
  line.loop.advance(1ms);
  answer(line);
  line.loop.advance(2999ms);
  EXPECT_EQ(line.next(), "");
  line.loop.advance(1ms);
  EXPECT_TRUE(line.next().starts_with("ping:"));
  line.loop.advance(1999ms);
  EXPECT_TRUE(connection.is_open());
  line.loop.advance(1ms);
  EXPECT_EQ(line.next(), "close:1011 the peer does not answer pings");
}

TEST_P(ControlTest, keepalive_cannot_be_switched_off) {
  Line line{GetParam()};
  auto connection = line.connect();
  EXPECT_THROW(connection.set_keepalive(0s, 1s), Error);
  EXPECT_THROW(connection.set_keepalive(1s, -1s), Error);
  EXPECT_THROW(connection.set_keepalive(1s, std::chrono::hours{24 * 366}), Error);
}

TEST_P(ControlTest, observers_hear_of_pings_pongs_and_the_end) {
  Line line{GetParam()};
  auto connection = line.connect();
  std::string log;
  connection.on_ping([&](std::string_view payload) { log += "ping " + std::string(payload); });
  connection.on_pong([&](std::string_view payload) { log += " pong " + std::string(payload); });
  connection.on_close([&](const CloseStatus& status) { log += " " + describe(status); });
  line.send(line.frame(ping_opcode, "a") + line.frame(pong_opcode, "b"));
  EXPECT_EQ(line.next(), "pong:a") << "it is answered all the same";
  EXPECT_EQ(log, "ping a pong b");
  line.send(line.close_frame(1000, "bye"));
  EXPECT_EQ(log, "ping a pong b 1000 by peer (bye)");
}

TEST_P(ControlTest, observers_may_use_replace_and_destroy) {
  for (const bool reading : {false, true}) {
    Line line{GetParam()};
    auto connection = std::make_optional(line.connect());
    std::string log;
    connection->on_ping([&](std::string_view) {
      connection->on_ping([&](std::string_view) { connection.reset(); });
      log += "first ";
    });
    auto reader = [](Connection& of, std::string& out) -> Task<> {
      const auto message = co_await of.read();
      out += message ? "message" : "ended";
    };
    if (reading) line.loop.run(reader(*connection, log));
    line.send(line.frame(ping_opcode, "") + line.frame(ping_opcode, ""));
    EXPECT_FALSE(connection);
    line.send(line.close_frame(1000));
    EXPECT_EQ(log, reading ? "first ended" : "first ");
  }
}

TEST_P(ControlTest, an_observer_that_throws_closes_the_connection) {
  Line line{GetParam()};
  auto connection = line.connect();
  connection.on_ping([](std::string_view) { throw std::runtime_error("mine"); });
  line.send(line.frame(ping_opcode, "a"));
  EXPECT_EQ(line.next(), "pong:a");
  EXPECT_EQ(line.next(), "close:1011");
  EXPECT_EQ(line.loop.log().errors, 1);
}

}  // namespace
}  // namespace hotline::websocket
