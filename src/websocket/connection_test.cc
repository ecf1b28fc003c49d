#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

INSTANTIATE_TEST_SUITE_P(Both, ConnectionTest, ::testing::Values(Role::server, Role::client),
                         [](const auto& parameter) {
                           return parameter.param == Role::server ? "server" : "client";
                         });

TEST_P(ConnectionTest, echoes_text_as_text_and_binary_as_binary) {
  Line line{GetParam()};
  line.serve(echo);
  line.send(line.frame(text, "hello") + line.frame(binary, "\x01\x02") + line.frame(text, ""));
  EXPECT_EQ(line.next(), "text:hello");
  EXPECT_EQ(line.next(), "binary:\x01\x02");
  EXPECT_EQ(line.next(), "text:");
  EXPECT_EQ(line.next(), "");
}

TEST_P(ConnectionTest, takes_what_came_right_behind_the_handshake) {
  Line line{GetParam()};
  line.serve(echo, line.frame(text, "early") + line.frame(text, "half").substr(0, 3));
  EXPECT_EQ(line.next(), "text:early");
  line.send(line.frame(text, "half").substr(3));
  EXPECT_EQ(line.next(), "text:half");
}

TEST_P(ConnectionTest, echoes_every_size_whole_and_byte_by_byte_and_at_random) {
  for (const std::size_t size : {0, 1, 7, 125, 126, 127, 4096, 65535, 65536, 70000, 300000}) {
    std::string payload(size, 'x');
    for (std::size_t i = 0; i < size; ++i) payload[i] = static_cast<char>('a' + i % 26);
    for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{777}}) {
      if (most == 1 && size > 5000) continue;
      MemoryStreamOptions options;
      options.largest_transfer = most;
      options.random_sizes = most == 777;
      options.stall_one_in = most == 777 ? 5 : 0;
      options.seed = size;
      Line line{GetParam(), {}, options};
      line.serve(echo);
      line.send(line.frame(binary, payload) + line.frame(text, "next"));
      const auto first = line.next_frame();
      ASSERT_TRUE(first) << size << " bytes, at most " << most << " at once";
      EXPECT_EQ(first->payload, payload);
      EXPECT_EQ(line.next(), "text:next");
    }
  }
}

TEST_P(ConnectionTest, answers_pings_though_nobody_reads) {
  Line line{GetParam()};
  auto connection = line.connect();
  line.send(line.frame(ping_opcode, "are you there"));
  EXPECT_EQ(line.next(), "pong:are you there");
}

TEST_P(ConnectionTest, notices_a_close_though_nobody_reads) {
  Line line{GetParam()};
  auto connection = line.connect();
  line.send(line.close_frame(1000, "bye"));
  EXPECT_EQ(line.next(), "close:1000");
  EXPECT_EQ(describe(connection.close_status()), "1000 by peer (bye)");
  EXPECT_FALSE(connection.is_open());
}

TEST_P(ConnectionTest, stops_receiving_at_the_first_message_that_nobody_reads) {
  MemoryStreamOptions options;
  options.capacity = 1000;
  Line line{GetParam(), {}, options};
  auto connection = line.connect();
  ASSERT_TRUE(line.send(line.frame(text, "unread")));
  EXPECT_EQ(line.loop->blocks().taken(), 1u) << "one block is held";
  EXPECT_FALSE(line.send(line.frame(binary, std::string(5000, 'x')))) << "TCP holds the peer back";
  EXPECT_EQ(line.loop->blocks().taken(), 1u);
}

TEST_P(ConnectionTest, holds_no_block_while_it_waits) {
  Line line{GetParam()};
  line.serve(echo);
  line.send(line.frame(text, "one") + line.frame(text, "partial").substr(0, 5));
  EXPECT_EQ(line.next(), "text:one");
  EXPECT_EQ(line.loop->blocks().taken(), 0u) << "not even for a partial frame";
  line.send(line.frame(text, "partial").substr(5));
  EXPECT_EQ(line.next(), "text:partial");
}

TEST_P(ConnectionTest, a_message_stays_valid_until_the_next_read_whatever_arrives) {
  Line line{GetParam()};
  std::string seen;
  auto handler = [](Connection connection, std::string& out) -> Task<> {
    auto message = co_await connection.read();
    co_await sleep(1s);
    out = message->text();
    message = co_await connection.read();
    if (message) out += " " + std::string(message->text());
  };
  auto connection = line.connect();
  line.loop.run(handler(std::move(connection), seen));
  line.send(line.frame(text, "held"));
  for (int i = 0; i < 1000; ++i) line.send(line.frame(ping_opcode, std::string(120, 'p')));
  line.send(line.frame(text, "second"));
  line.loop.advance(1s);
  EXPECT_EQ(seen, "held second");
}

TEST_P(ConnectionTest, a_second_read_at_the_same_time_is_an_error) {
  Line line{GetParam()};
  auto connection = line.connect();
  std::string first;
  std::string second;
  auto reader = [](Connection& shared, std::string& out) -> Task<> {
    try {
      const auto message = co_await shared.read();
      out = message ? std::string(message->text()) : "end";
    } catch (const Error& error) {
      out = error.code() == Fault::concurrent_read ? "concurrent" : "?";
    }
  };
  line.loop.run(reader(connection, first));
  line.loop.run(reader(connection, second));
  EXPECT_EQ(second, "concurrent");
  line.send(line.frame(text, "mine"));
  EXPECT_EQ(first, "mine") << "the first is none the worse";
}

TEST_P(ConnectionTest, a_cancelled_read_consumes_nothing) {
  Line line{GetParam()};
  std::vector<std::string> seen;
  auto handler = [](Connection connection, std::vector<std::string>& out) -> Task<> {
    for (;;) {
      auto once = [](Connection& c) -> Task<std::string> {
        auto message = co_await c.read();
        co_return message ? std::string(message->text()) : "end";
      };
      try {
        out.push_back(co_await deadline(1s, once(connection)));
      } catch (const Error& error) {
        out.push_back(error.is(Condition::timed_out) ? "timed out" : error.what());
      }
      if (out.back() == "end") co_return;
    }
  };
  auto connection = line.connect();
  line.loop.run(handler(std::move(connection), seen));
  const auto frame = line.frame(text, "late");
  line.send(frame.substr(0, 4));
  line.loop.advance(1500ms);
  line.send(frame.substr(4));
  line.send(line.close_frame(1000));
  EXPECT_EQ(seen, (std::vector<std::string>{"timed out", "late", "end"}));
}

TEST_P(ConnectionTest, gives_a_dead_line_the_same_cheap_answer_for_ever) {
  Line line{GetParam()};
  int answers = 0;
  auto handler = [](Connection connection, int& count) -> Task<> {
    while (auto message = co_await connection.read()) {
    }
    for (int i = 0; i < 1000; ++i) {
      const auto message = co_await connection.read();
      const bool taken = co_await connection.write("x");
      const auto round_trip = co_await connection.ping();
      if (message || taken || round_trip) co_return;
      const auto status = co_await connection.closed();
      if (status.code() != CloseCode::going_away) co_return;
      ++count;
    }
  };
  auto connection = line.connect();
  line.loop.run(handler(std::move(connection), answers));
  line.send(line.close_frame(1001));
  EXPECT_EQ(answers, 1000);
}

TEST_P(ConnectionTest, refuses_to_send_text_that_is_not_utf8_and_sends_nothing) {
  Line line{GetParam()};
  std::string outcome;
  auto handler = [](Connection connection, std::string& out) -> Task<> {
    try {
      co_await connection.write("abc\xff");
    } catch (const Error& error) {
      out = error.is(Condition::protocol_violated) ? "violated" : "?";
    }
    co_await connection.write("good");
    co_await connection.closed();
  };
  auto connection = line.connect();
  line.loop.run(handler(std::move(connection), outcome));
  EXPECT_EQ(outcome, "violated");
  EXPECT_EQ(line.next(), "text:good");
}

TEST_P(ConnectionTest, measures_a_round_trip) {
  Line line{GetParam()};
  std::optional<Duration> measured;
  auto handler = [](Connection& connection, std::optional<Duration>& out) -> Task<> {
    out = co_await connection.ping();
  };
  auto connection = line.connect();
  line.loop.run(handler(connection, measured));
  const auto ping = line.next_frame();
  ASSERT_TRUE(ping);
  ASSERT_EQ(ping->opcode, ping_opcode);
  line.loop.advance(250ms);
  line.send(line.frame(pong_opcode, "something else"));
  EXPECT_FALSE(measured) << "an unsolicited pong answers nothing (5.5.3)";
  line.send(line.frame(pong_opcode, ping->payload));
  EXPECT_EQ(measured, 250ms);
}

TEST_P(ConnectionTest, one_pong_answers_the_pings_before_it_too) {
  Line line{GetParam()};
  int answered = 0;
  auto handler = [](Connection& connection, int& count) -> Task<> {
    const auto measured = co_await connection.ping();
    if (measured) ++count;
  };
  auto connection = line.connect();
  for (int i = 0; i < 3; ++i) line.loop.run(handler(connection, answered));
  (void)line.next_frame();
  const auto second = line.next_frame();
  line.send(line.frame(pong_opcode, second->payload));
  EXPECT_EQ(answered, 2);
  const auto third = line.next_frame();
  line.send(line.frame(pong_opcode, third->payload));
  EXPECT_EQ(answered, 3);
}

TEST_P(ConnectionTest, messages_of_several_writers_never_mix) {
  MemoryStreamOptions options;
  options.capacity = 2000;
  options.largest_transfer = 300;
  options.random_sizes = true;
  Line line{GetParam(), {}, options};
  auto connection = line.connect();
  auto writer = [](Connection& shared, char letter, std::size_t size) -> Task<> {
    const std::string payload(size, letter);
    for (int i = 0; i < 5; ++i) co_await shared.write(payload);
  };
  line.loop.run(writer(connection, 'a', 200'000));
  line.loop.run(writer(connection, 'b', 50));
  line.loop.run(writer(connection, 'c', 9'000));
  int seen[3] = {};
  for (int i = 0; i < 15; ++i) {
    const auto frame = line.next_frame();
    ASSERT_TRUE(frame) << i;
    ASSERT_FALSE(frame->payload.empty());
    const char letter = frame->payload[0];
    EXPECT_EQ(frame->payload.find_first_not_of(letter), std::string::npos);
    ++seen[letter - 'a'];
  }
  EXPECT_EQ(seen[0], 5);
  EXPECT_EQ(seen[1], 5);
  EXPECT_EQ(seen[2], 5);
  EXPECT_EQ(line.loop.waiting(), 0u);
}

TEST_P(ConnectionTest, a_write_waits_for_a_slow_peer_and_its_cancelling_loses_nothing) {
  MemoryStreamOptions options;
  options.capacity = 1000;
  Line line{GetParam(), {}, options};
  auto connection = line.connect();
  const std::string payload(200'000, 'w');
  auto writer = [](Connection& shared, const std::string& bytes) -> Task<> {
    co_await shared.write(bytes);
    co_await shared.write("never");
  };
  {
    auto bytes = payload;  // dies with this scope: what is unsent must have been copied by then
    line.loop.run(writer(connection, bytes));
    EXPECT_EQ(line.loop.waiting(), 1u) << "the write waits";
    line.loop.cancel();
  }
  const auto frame = line.next_frame();
  ASSERT_TRUE(frame);
  EXPECT_EQ(frame->payload, payload);
  EXPECT_EQ(line.next(), "");
}

TEST_P(ConnectionTest, drops_what_comes_for_those_who_only_push) {
  Line line{GetParam()};
  std::string ending;
  auto handler = [](Connection connection, std::string& out) -> Task<> {
    connection.discard_input();
    co_await connection.write("news");
    out = describe(co_await connection.closed());
  };
  auto connection = line.connect();
  line.loop.run(handler(std::move(connection), ending));
  for (int i = 0; i < 100; ++i) line.send(line.frame(binary, std::string(10'000, 'x')));
  EXPECT_EQ(line.next(), "text:news");
  EXPECT_EQ(line.loop->blocks().taken(), 0u);
  line.send(line.close_frame(3000, "enough"));
  EXPECT_EQ(ending, "3000 by peer (enough)");
}

TEST_P(ConnectionTest, one_flooding_peer_lets_others_have_their_turn) {
  Line line{GetParam()};
  line.serve(echo);
  std::string flood;
  for (int i = 0; i < 2000; ++i) flood += line.frame(text, "f");
  // All of it is there at once; after each batch the loop must come round.
  auto transfer = line.peer->try_write({flood.data(), flood.size()});
  ASSERT_EQ(transfer.size, flood.size());
  line.loop->context().restart();
  int rounds = 0;
  struct Round {
    static void again(Loop& loop, int& count) {
      loop.post([&loop, &count] {
        if (++count < 50) again(loop, count);
      });
    }
  };
  Round::again(*line.loop, rounds);
  const std::size_t all = 2000 * (GetParam() == Role::server ? 3 : 7);
  std::string echoed;
  int at_end = -1;
  while (line.loop->context().poll_one() > 0) {
    char buffer[4096];
    for (auto got = line.peer->try_read(buffer); got.size > 0; got = line.peer->try_read(buffer)) {
      echoed.append(buffer, got.size);
    }
    if (at_end < 0 && echoed.size() == all) at_end = rounds;
  }
  line.loop->context().restart();
  EXPECT_GE(at_end, 7) << "2,000 messages take eight turns of 256";
}

}  // namespace
}  // namespace hotline::websocket
