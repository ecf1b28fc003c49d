#include <algorithm>
#include <map>

#include <hotline/websocket/message_stream.h>

#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

using protocol::Opcode;

class WriteStreamTest : public ConnectionTest {
 protected:
  // "text:a" and, for a frame that is not the last one, "text:a+"; "more:b".
  static std::string next(Line& line) {
    const auto parsed = line.next_frame();
    if (!parsed) return "";
    static const std::map<int, std::string> names = {{0, "more:"},  {1, "text:"}, {2, "binary:"},
                                                     {8, "close:"}, {9, "ping:"}, {10, "pong:"}};
    if (parsed->opcode == 8) return "close:" + std::to_string(parsed->close_code());
    return names.at(parsed->opcode) + parsed->payload + (parsed->fin ? "" : "+");
  }
  static std::vector<std::string> all(Line& line) {
    std::vector<std::string> frames;
    for (auto frame = next(line); !frame.empty(); frame = next(line)) frames.push_back(frame);
    return frames;
  }
};

using Frames = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(Both, WriteStreamTest, ::testing::Values(Role::server, Role::client),
                         [](const auto& parameter) {
                           return parameter.param == Role::server ? "server" : "client";
                         });

TEST_P(WriteStreamTest, sends_a_frame_for_each_piece) {
  Line line{GetParam()};
  line.serve([](Connection connection) -> Task<> {
    auto text = connection.write_stream(Opcode::text);
    co_await text.write("one ");
    co_await text.write("");
    co_await text.write("tw");
    co_await text.finish("o");
    auto empty = connection.write_stream(Opcode::binary);
    co_await empty.finish();
    auto plain = connection.write_stream(Opcode::binary);
    co_await plain.write("x");
    co_await plain.finish();
    co_await connection.close();
  });
  EXPECT_EQ(all(line), (Frames{"text:one +", "more:tw+", "more:o", "binary:", "binary:x+",
                               "more:", "close:1000"}));
}

TEST_P(WriteStreamTest, one_that_never_began_sends_nothing) {
  Line line{GetParam()};
  line.serve([](Connection connection) -> Task<> {
    auto stream = connection.write_stream(Opcode::text);
    const bool taken = co_await stream.write("");
    EXPECT_TRUE(taken);
  });
  EXPECT_EQ(all(line), Frames{"close:1000"});
}

TEST_P(WriteStreamTest, is_neither_a_control_frame_nor_a_continuation) {
  Line line{GetParam()};
  auto connection = line.connect();
  for (const auto opcode : {Opcode::ping, Opcode::continuation, Opcode::close}) {
    EXPECT_THROW(static_cast<void>(connection.write_stream(opcode)), Error);
  }
}

TEST_P(WriteStreamTest, checks_text_across_its_pieces) {
  Line line{GetParam()};
  line.serve([](Connection connection) -> Task<> {
    auto stream = connection.write_stream(Opcode::text);
    int refused = 0;
    const std::string_view euro = "\xE2\x82\xAC";
    co_await stream.write(euro.substr(0, 1));
    for (const std::string_view bad : {"x", "\xFF"}) {
      try {
        co_await stream.write(bad);
      } catch (const Error& error) {
        refused += error.code() == Fault::invalid_text;
      }
    }
    try {
      co_await stream.finish();
    } catch (const Error& error) {
      refused += error.code() == Fault::invalid_text;
    }
    EXPECT_EQ(refused, 3);
    co_await stream.finish(euro.substr(1));
    EXPECT_THROW(static_cast<void>(co_await stream.write("late")), Error);
  });
  EXPECT_EQ(all(line), (Frames{"text:\xE2+", "more:\x82\xAC", "close:1000"}));
}

TEST_P(WriteStreamTest, other_messages_wait_until_it_ends_and_control_frames_pass) {
  Line line{GetParam()};
  auto connection = line.connect();
  const auto sender = connection.sender();
  const Prepared prepared{"prepared"};
  std::string log;
  auto stream = [](Connection& to, const Sender& other) -> Task<> {
    auto message = to.write_stream(Opcode::text);
    co_await message.write("begin");
    co_await sleep(1s);
    other.send("sender");
    co_await sleep(1s);
    co_await message.finish("end");
  };
  auto write = [](Connection& to, const Prepared& message, std::string& out) -> Task<> {
    co_await sleep(500ms);
    const bool first = co_await to.write("plain");
    out += first ? "plain " : "? ";
    const bool second = co_await to.write(message);
    out += second ? "prepared " : "? ";
  };
  auto second = [](Connection& to, std::string& out) -> Task<> {
    co_await sleep(600ms);
    auto message = to.write_stream(Opcode::binary);
    const bool taken = co_await message.write("second");
    out += taken ? "second " : "? ";
    co_await message.finish();
  };
  auto ping = [](Connection& to) -> Task<> {
    co_await sleep(700ms);
    const auto time = co_await to.ping();
    (void)time;
  };
  line.loop.run(stream(connection, sender));
  line.loop.run(write(connection, prepared, log));
  line.loop.run(second(connection, log));
  line.loop.run(ping(connection));
  line.loop.advance(1s);
  EXPECT_EQ(next(line), "text:begin+");
  EXPECT_TRUE(next(line).starts_with("ping:"));
  line.send(line.frame(ping_opcode, "p"));
  EXPECT_EQ(next(line), "pong:p");
  EXPECT_EQ(next(line), "");
  EXPECT_EQ(log, "");
  line.loop.advance(2s);
  EXPECT_EQ(log, "plain second prepared ");
  auto frames = all(line);
  ASSERT_EQ(frames.size(), 6u);
  std::sort(frames.begin() + 4, frames.end());  // a sender's are not ordered with others
  EXPECT_EQ(frames, (Frames{"more:end", "text:plain", "binary:second+", "more:", "text:prepared",
                            "text:sender"}));
}

TEST_P(WriteStreamTest, a_message_that_waited_and_was_cancelled_is_sent_all_the_same) {
  Line line{GetParam()};
  auto connection = line.connect();
  TaskGroup group;
  auto write = [](Connection& to, std::string what) -> Task<> {
    const bool taken = co_await to.write(what);
    (void)taken;
  };
  auto stream_one = [](Connection& to) -> Task<> {
    auto message = to.write_stream(Opcode::text);
    co_await message.write("never begun");
    co_await message.finish();
  };
  auto stream = [](Connection& to, TaskGroup& others) -> Task<> {
    auto message = to.write_stream(Opcode::text);
    co_await message.write("begin");
    co_await sleep(1s);
    others.cancel();
    co_await message.finish();
  };
  line.loop.run(stream(connection, group));
  {
    Turn turn{*line.loop};
    group.spawn(write(connection, "cancelled"));
    group.spawn(stream_one(connection));
  }
  line.loop.advance(1s);
  EXPECT_EQ(all(line), (Frames{"text:begin+", "more:", "text:cancelled"}));
}

TEST_P(WriteStreamTest, abandoned_it_ends_the_connection) {
  Line line{GetParam()};
  auto connection = line.connect();
  std::string log;
  auto stream = [](Connection& to) -> Task<> {
    auto message = to.write_stream(Opcode::text);
    co_await message.write("begin");
    co_await sleep(1s);
  };
  auto write = [](Connection& to, std::string& out) -> Task<> {
    const bool taken = co_await to.write("waits");
    out = taken ? "taken" : "ended";
  };
  const auto sender = connection.sender();
  line.loop.run(stream(connection));
  line.loop.run(write(connection, log));
  sender.send("waits, too");
  line.loop.advance(1s);
  EXPECT_EQ(all(line), (Frames{"text:begin+", "close:1011"}));
  line.send(line.close_frame(1011));
  EXPECT_EQ(log, "ended");
  EXPECT_EQ(describe(connection.close_status()), "1011 by us (a message was abandoned)");
}

TEST_P(WriteStreamTest, waits_while_the_peer_is_slow) {
  MemoryStreamOptions options;
  options.capacity = 1000;
  Line line{GetParam(), {}, options};
  auto connection = line.connect();
  int written = 0;
  auto push = [](Connection& to, int& count) -> Task<> {
    auto stream = to.write_stream(Opcode::binary);
    for (; count < 10; ++count) co_await stream.write(std::string(40'000, 'x'));
    co_await stream.finish();
  };
  line.loop.run(push(connection, written));
  EXPECT_EQ(written, 1);
  std::size_t received = 0;
  while (const auto frame = line.next_frame()) received += frame->payload.size();
  EXPECT_EQ(received, 400'000u);
}

TEST_P(WriteStreamTest, a_write_that_is_cancelled_while_the_peer_is_slow_has_been_taken) {
  MemoryStreamOptions options;
  options.capacity = 1000;
  Line line{GetParam(), {}, options};
  auto connection = line.connect();
  auto push = [](Connection& to) -> Task<> {
    auto stream = to.write_stream(Opcode::binary);
    auto piece = [](WriteStream& of) -> Task<> { co_await of.write(std::string(100'000, 'x')); };
    for (int i = 0; i < 2; ++i) {
      try {
        co_await deadline(1s, piece(stream));
      } catch (const Error&) {
      }
    }
    co_await stream.finish("end");
  };
  line.loop.run(push(connection));
  line.loop.advance(2s);
  const std::string big(100'000, 'x');
  EXPECT_EQ(all(line), (Frames{"binary:" + big + "+", "more:" + big + "+", "more:end"}));
}

TEST_P(WriteStreamTest, a_fast_peer_does_not_keep_the_loop) {
  Line line{GetParam(), {}, {.capacity = 64 << 20}};
  auto connection = line.connect();
  int written = 0;
  int seen = 0;
  auto push = [](Connection& to, int& count) -> Task<> {
    auto stream = to.write_stream(Opcode::binary);
    for (; count < 100; ++count) co_await stream.write(std::string(16'000, 'x'));
    co_await stream.finish();
  };
  line.loop->post([&] { line.loop->post([&] { seen = written; }); });
  line.loop.run(push(connection, written));
  EXPECT_EQ(written, 100);
  EXPECT_LT(seen, 50);
}

TEST_P(WriteStreamTest, ends_well_wherever_the_line_fails) {
  std::uint64_t transfers = 0;
  for (std::uint64_t at = 0; at == 0 || at <= transfers; ++at) {
    for (const bool reset : {false, true}) {
      MemoryStreamOptions options;
      options.capacity = 3000;
      (reset ? options.reset_at : options.fail_at) = at;
      Line line{GetParam(), {}, options};
      int done = 0;
      auto push = [](Connection& to, int& count) -> Task<> {
        auto stream = to.write_stream(Opcode::binary);
        for (int i = 0; i < 5; ++i) co_await stream.write(std::string(40'000, 'x'));
        co_await stream.finish();
        ++count;
      };
      auto write = [](Connection& to, int& count) -> Task<> {
        const bool taken = co_await to.write("waits");
        count += taken ? 1 : 1;
      };
      auto connection = line.connect();
      line.loop.run(push(connection, done));
      line.loop.run(write(connection, done));
      line.received();
      line.received();
      EXPECT_EQ(done, 2);
      if (at == 0) transfers = memory_stream_transfers(*line.peer);
      if (at > 40) at += 7;
    }
  }
  EXPECT_GT(transfers, 20u);
}

}  // namespace
}  // namespace hotline::websocket
