#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

class ClosingTest : public ConnectionTest {};
INSTANTIATE_TEST_SUITE_P(Both, ClosingTest, ::testing::Values(Role::server, Role::client),
                         [](const auto& parameter) {
                           return parameter.param == Role::server ? "server" : "client";
                         });

// Reads until the end and notes it.
Task<> read_to_end(Connection connection, std::string& ending) {
  while (auto message = co_await connection.read()) {
  }
  ending = describe(connection.close_status());
}

Task<> hang_up(Connection connection, CloseCode code, std::string reason, std::string& ending) {
  ending = describe(co_await connection.close(code, reason));
}

TEST_P(ClosingTest, answers_a_close_with_its_code_and_ends) {
  for (const int code : {1000, 1001, 1003, 1007, 1010, 1011, 1012, 3000, 4999}) {
    Line line{GetParam()};
    std::string ending;
    line.loop.run(read_to_end(line.connect(), ending));
    line.send(line.close_frame(code, "why"));
    EXPECT_EQ(line.next(), "close:" + std::to_string(code));
    EXPECT_EQ(ending, std::to_string(code) + " by peer (why)");
    line.received();
    EXPECT_TRUE(line.ended) << "and shuts down its side";
  }
}

TEST_P(ClosingTest, answers_a_close_without_a_code_with_one_without) {
  Line line{GetParam()};
  std::string ending;
  line.loop.run(read_to_end(line.connect(), ending));
  line.send(line.frame(close_opcode, ""));
  const auto frame = line.next_frame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->payload, "");
  EXPECT_EQ(ending, "1005 by peer");
}

TEST_P(ClosingTest, a_peer_that_breaks_the_rules_is_told_which) {
  const struct {
    const char* what;
    std::string bytes;
    int code;
  } cases[] = {
      {"a reserved opcode", std::string("\x83\x80", 2) + "1234", 1002},
      {"an RSV bit", std::string("\xc1\x80", 2) + "1234", 1002},
      {"bad UTF-8", "", 1007},
      {"too big", "", 1009},
  };
  for (const auto& c : cases) {
    Limits limits;
    limits.message_size = 1000;
    Line line{GetParam(), limits};
    std::string ending;
    line.loop.run(read_to_end(line.connect(), ending));
    auto bytes = c.bytes;
    if (c.code == 1002 && GetParam() == Role::client) bytes = bytes.substr(0, 1) + '\0';
    if (c.code == 1007) bytes = line.frame(text, "\xc0\xaf");
    if (c.code == 1009) bytes = line.frame(text, std::string(1001, 'x')).substr(0, 20);
    line.send(bytes);
    const auto frame = line.next_frame();
    ASSERT_TRUE(frame) << c.what;
    EXPECT_EQ(frame->close_code(), c.code) << c.what;
    EXPECT_TRUE(ending.starts_with(std::to_string(c.code) + " by us")) << ending;
    line.received();
    EXPECT_TRUE(line.ended) << c.what;
  }
}

TEST_P(ClosingTest, close_waits_for_the_answer_and_tells_how_it_ended) {
  Line line{GetParam()};
  std::string ending;
  line.loop.run(hang_up(line.connect(), CloseCode{4001}, "done here", ending));
  EXPECT_EQ(line.next(), "close:4001 done here");
  EXPECT_EQ(ending, "");
  line.send(line.frame(text, "too late") + line.close_frame(4001));
  EXPECT_EQ(ending, "4001 by us (done here)");
}

TEST_P(ClosingTest, close_does_not_wait_for_ever) {
  Line line{GetParam()};
  std::string ending;
  line.loop.run(hang_up(line.connect(), CloseCode::normal, "", ending));
  line.loop.advance(4900ms);
  EXPECT_EQ(ending, "");
  line.loop.advance(200ms);
  EXPECT_EQ(ending, "1006 by transport (the close frame was not answered in time)");
}

TEST_P(ClosingTest, both_ends_may_close_at_once) {
  Line line{GetParam()};
  std::string ending;
  auto connection = line.connect();
  // The peer's close lies in the socket already when ours goes out.
  const auto frame = line.close_frame(1001);
  line.peer->try_write({frame.data(), frame.size()});
  line.loop.run(hang_up(std::move(connection), CloseCode::normal, "", ending));
  EXPECT_EQ(line.next(), "close:1000");
  EXPECT_EQ(line.next(), "") << "one close frame is enough";
  EXPECT_EQ(ending, "1000 by us");
}

TEST_P(ClosingTest, refuses_to_send_codes_that_may_not_be_sent) {
  Line line{GetParam()};
  auto connection = line.connect();
  for (const int code : {0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000, 65535}) {
    EXPECT_THROW((void)connection.close(CloseCode{static_cast<std::uint16_t>(code)}), Error)
        << code;
  }
  if (GetParam() == Role::server) {
    EXPECT_THROW((void)connection.close(CloseCode::mandatory_extension), Error);
  }
  EXPECT_TRUE(connection.is_open());
  EXPECT_EQ(line.next(), "");
}

TEST_P(ClosingTest, a_long_reason_is_cut_at_a_code_point) {
  Line line{GetParam()};
  std::string ending;
  std::string reason;
  for (int i = 0; i < 50; ++i) reason += "\xe2\x82\xac";  // 150 bytes of euro signs
  line.loop.run(hang_up(line.connect(), CloseCode::normal, reason, ending));
  const auto frame = line.next_frame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->payload.substr(2), reason.substr(0, 123));
}

TEST_P(ClosingTest, leaving_the_handler_closes_with_1000) {
  Line line{GetParam()};
  auto leave = [](Connection connection) -> Task<> { co_await connection.write("bye"); };
  line.serve(leave);
  EXPECT_EQ(line.next(), "text:bye");
  EXPECT_EQ(line.next(), "close:1000");
  line.send(line.close_frame(1000));
  line.received();
  EXPECT_TRUE(line.ended);
}

TEST_P(ClosingTest, leaving_the_handler_by_an_exception_closes_with_1011) {
  Line line{GetParam()};
  auto fail = [](Line& at) -> Task<> {
    auto connection = at.connect();
    co_await connection.read();
    throw std::runtime_error("oh");
  };
  auto guard = [](Task<> task) -> Task<> {
    try {
      co_await std::move(task);
    } catch (const std::runtime_error&) {
    }
  };
  line.loop.run(guard(fail(line)));
  line.send(line.frame(text, "x"));
  EXPECT_EQ(line.next(), "close:1011");
}

TEST_P(ClosingTest, the_end_of_the_stream_without_a_close_is_1006) {
  Line line{GetParam()};
  std::string ending;
  line.loop.run(read_to_end(line.connect(), ending));
  line.peer->shut_down();
  line.loop.settle();
  EXPECT_EQ(ending, "1006 by transport (the peer ended the stream without a close frame)");
}

TEST_P(ClosingTest, a_reset_in_the_middle_of_a_frame_is_1006) {
  for (std::uint64_t at = 1; at < 12; ++at) {
    MemoryStreamOptions options;
    options.reset_at = at;
    options.largest_transfer = 3;
    Line line{GetParam(), {}, options};
    std::string ending;
    line.loop.run(read_to_end(line.connect(), ending));
    line.send(line.frame(text, "a frame of some length"));
    line.loop.settle();
    EXPECT_TRUE(ending.starts_with("1006 by transport")) << at << ": " << ending;
  }
}

TEST_P(ClosingTest, every_transfer_may_fail_and_nothing_leaks) {
  for (std::uint64_t at = 1;; ++at) {
    MemoryStreamOptions options;
    options.fail_at = at;
    options.largest_transfer = 5;
    Line line{GetParam(), {}, options};
    std::string ending;
    auto handler = [](Connection connection, std::string& out) -> Task<> {
      while (auto message = co_await connection.read())
        co_await connection.write(std::move(*message));
      out = describe(connection.close_status());
    };
    line.loop.run(handler(line.connect(), ending));
    line.send(line.frame(text, "hello") + line.frame(ping_opcode, "p") + line.close_frame(1000));
    line.received();
    line.loop.advance(60s);  // where it is the peer that failed, the keepalive notices
    EXPECT_NE(ending, "") << "whatever fails, the handler hears of the end; at " << at;
    if (ending.starts_with("1000 by peer") && memory_stream_transfers(*line.peer) < at) break;
    ASSERT_LT(at, 1000u);
  }
}

TEST_P(ClosingTest, a_drain_closes_with_1001_and_cancels_other_waits) {
  Line line{GetParam()};
  std::string ending;
  bool cancelled = false;
  auto handler = [](Connection connection, std::string& out, bool& flag) -> Task<> {
    auto nap = [](bool& woken) -> Task<> {
      try {
        co_await sleep(1h);
      } catch (const Cancelled&) {
        woken = true;
      }
    };
    TaskGroup group;
    group.spawn(nap(flag));
    while (auto message = co_await connection.read()) {
    }
    out = describe(connection.close_status());
  };
  line.loop.run(handler(line.connect(), ending, cancelled));
  line.loop->drain();
  EXPECT_TRUE(cancelled);
  EXPECT_EQ(line.next(), "close:1001 the server drains");
  line.send(line.close_frame(1001));
  EXPECT_EQ(ending, "1001 by us (the server drains)");
}

TEST_P(ClosingTest, whoever_waits_on_a_destroyed_connection_gets_its_ending) {
  Line line{GetParam()};
  std::vector<std::string> endings;
  auto connection = std::make_optional(line.connect());
  auto reader = [](Connection& shared, std::vector<std::string>& out) -> Task<> {
    const auto message = co_await shared.read();
    out.push_back(message ? "message" : "end of reading");
  };
  auto closed = [](Connection& shared, std::vector<std::string>& out) -> Task<> {
    out.push_back(describe(co_await shared.closed()));
  };
  auto pinging = [](Connection& shared, std::vector<std::string>& out) -> Task<> {
    out.push_back(co_await shared.ping() ? "pong" : "no pong");
  };
  line.loop.run(reader(*connection, endings));
  line.loop.run(closed(*connection, endings));
  line.loop.run(pinging(*connection, endings));
  connection.reset();
  line.send(line.close_frame(1000));
  EXPECT_EQ(endings, (std::vector<std::string>{"end of reading", "no pong", "1000 by us"}));
}

TEST_P(ClosingTest, can_be_destroyed_at_every_await) {
  // The handler is cut off where it stands, at every point it can be waiting at.
  for (int point = 0; point < 6; ++point) {
    MemoryStreamOptions options;
    options.capacity = 500;
    Line line{GetParam(), {}, options};
    auto handler = [](Connection connection, int stop) -> Task<> {
      const std::string large(100'000, 'l');
      if (stop == 0) co_await connection.read();
      if (stop == 1) co_await connection.write(large);
      if (stop == 2) co_await connection.ping();
      if (stop == 3) co_await connection.closed();
      if (stop == 4) co_await connection.close();
      if (stop == 5) co_await sleep(1h);
      ADD_FAILURE() << "it was to be cut off at " << stop;
    };
    line.loop.run(handler(line.connect(), point));
    ASSERT_EQ(line.loop.waiting(), 1u) << point;
    line.loop.cancel();
    line.loop.advance(10s);
    const auto bytes = line.received();
    EXPECT_FALSE(bytes.empty()) << "the close, at least, is sent; at " << point;
  }
}

// ---- Time

TEST_P(ClosingTest, pings_in_silence_and_ends_a_vanished_peer_with_1011) {
  Line line{GetParam()};
  std::string ending;
  line.loop.run(read_to_end(line.connect(), ending));
  line.loop.advance(20s);
  EXPECT_TRUE(line.next().starts_with("ping:"));
  line.loop.advance(19s);
  EXPECT_EQ(ending, "");
  line.loop.advance(2s);
  EXPECT_EQ(ending, "1011 by us (the peer does not answer pings)");
  EXPECT_EQ(line.next(), "close:1011 the peer does not answer pings");
}

TEST_P(ClosingTest, any_sign_of_life_keeps_it) {
  Line line{GetParam()};
  std::string ending;
  line.loop.run(read_to_end(line.connect(), ending));
  for (int i = 0; i < 20; ++i) {
    line.loop.advance(15s);
    line.send(line.frame(i % 2 == 0 ? pong_opcode : text, "x"));
  }
  EXPECT_EQ(ending, "");
}

TEST_P(ClosingTest, a_ping_goes_out_after_each_interval_of_silence_however_patient_it_is) {
  Limits limits;
  limits.ping_interval = 10s;
  limits.ping_timeout = 60s;
  Line line{GetParam(), limits};
  std::string ending;
  line.loop.run(read_to_end(line.connect(), ending));
  for (int i = 0; i < 5; ++i) {
    line.loop.advance(9s);
    EXPECT_EQ(line.next(), "") << i;
    line.loop.advance(1s);
    const auto ping = line.next_frame();
    ASSERT_TRUE(ping && ping->opcode == ping_opcode) << i;
    line.send(line.frame(pong_opcode, ping->payload));
  }
  line.loop.advance(10s + 59s);
  EXPECT_EQ(ending, "") << "an answer to the last one has 60 s";
  line.loop.advance(1s);
  EXPECT_EQ(ending, "1011 by us (the peer does not answer pings)");
}

TEST_P(ClosingTest, keepalive_does_not_expire_while_it_has_stopped_itself) {
  Line line{GetParam()};
  auto connection = line.connect();
  line.send(line.frame(text, "nobody reads this"));
  line.loop.advance(300s);
  EXPECT_TRUE(connection.is_open());
}

TEST_P(ClosingTest, idleness_ends_it_with_1001) {
  Limits limits;
  limits.idle_timeout = 60s;
  Line line{GetParam(), limits};
  std::string ending;
  line.loop.run(read_to_end(line.connect(), ending));
  for (int i = 0; i < 3; ++i) {
    line.loop.advance(15s);
    line.send(line.frame(ping_opcode, "alive"));
  }
  std::string last;
  for (int i = 0; i < 25 && !last.starts_with("close"); ++i) {
    line.loop.advance(1s);
    for (auto next = line.next(); !next.empty(); next = line.next()) last = next;
  }
  EXPECT_EQ(last, "close:1001 idle");
  line.send(line.close_frame(1001));
  EXPECT_EQ(ending, "1001 by us (idle)");
}

TEST_P(ClosingTest, a_message_may_not_take_for_ever) {
  Line line{GetParam()};
  std::string ending;
  line.loop.run(read_to_end(line.connect(), ending));
  const auto frame = line.frame(binary, std::string(5000, 'x'));
  for (std::size_t i = 0; i < 200 && ending.empty(); ++i) {
    line.send(frame.substr(i, 1));
    line.loop.advance(1s);
  }
  EXPECT_EQ(ending, "1008 by us (the message takes too long)");
}

TEST_P(ClosingTest, a_peer_that_takes_nothing_is_let_go) {
  MemoryStreamOptions options;
  options.capacity = 1000;
  Line line{GetParam(), {}, options};
  std::string ending;
  auto handler = [](Connection connection, std::string& out) -> Task<> {
    const std::string large(200'000, 'l');
    for (bool taken = true; taken;) taken = co_await connection.write(large);
    out = describe(connection.close_status());
  };
  line.loop.run(handler(line.connect(), ending));
  for (int i = 0; i < 10 && ending.empty(); ++i) line.loop.advance(10s);
  EXPECT_EQ(ending, "1006 by transport (the peer does not read)");
}

TEST_P(ClosingTest, a_million_pings_unanswered_for_want_of_room_leave_one_pong) {
  MemoryStreamOptions options;
  options.capacity = 200;
  Line line{GetParam(), {}, options};
  auto connection = line.connect();
  const auto frame = line.frame(ping_opcode, "0123456789");
  std::string flood;
  for (int i = 0; i < 1000; ++i) flood += frame;
  for (int i = 0; i < 100; ++i) line.send(flood);
  line.send(line.frame(ping_opcode, "the newest"));
  int pongs = 0;
  std::string last;
  for (auto next = line.next(); !next.empty(); next = line.next()) {
    last = next;
    ++pongs;
  }
  EXPECT_EQ(last, "pong:the newest");
  EXPECT_LT(pongs, 12'000) << "those that found no room were replaced";
}

}  // namespace
}  // namespace hotline::websocket
