#include <hotline/websocket/message_stream.h>

#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

class ReadStreamTest : public ConnectionTest {};

INSTANTIATE_TEST_SUITE_P(Both, ReadStreamTest, ::testing::Values(Role::server, Role::client),
                         [](const auto& parameter) {
                           return parameter.param == Role::server ? "server" : "client";
                         });

// What a handler has seen, as "text:…", "binary:…" for each message; with "!" in front where it did
// not come to its end.
struct Seen {
  std::vector<std::string> messages;
  std::size_t largest = 0;
  std::string ending;
};

Task<> read_streams(Connection connection, ReadStreamOptions options, Seen& seen) {
  for (;;) {
    auto stream = co_await connection.read_stream(options);
    if (!stream) break;
    auto& message = seen.messages.emplace_back(stream.is_text() ? "text:" : "binary:");
    while (auto piece = co_await stream.read()) {
      seen.largest = std::max(seen.largest, piece->size());
      seen.messages.back() += piece->text();
      EXPECT_FALSE(piece->empty());
    }
    if (!stream.is_complete()) seen.messages.back().insert(0, "!");
    (void)message;
  }
  seen.ending = describe(connection.close_status());
}

TEST_P(ReadStreamTest, gives_messages_of_every_size_however_they_are_cut) {
  for (const std::size_t size : {0, 1, 125, 126, 5000, 65536, 200'000}) {
    for (const std::size_t most : {std::size_t{0}, std::size_t{1}, std::size_t{777}}) {
      if (most == 1 && size > 5000) continue;
      MemoryStreamOptions options;
      options.largest_transfer = most;
      options.random_sizes = most == 777;
      options.stall_one_in = most == 777 ? 5 : 0;
      Line line{GetParam(), {}, options};
      Seen seen;
      line.loop.run(read_streams(line.connect(), {}, seen));
      const std::string payload(size, 'x');
      line.send(line.frame(binary, payload) + line.frame(text, "a", false) +
                line.frame(ping_opcode, "p") + line.frame(0, "", false) + line.frame(0, "b") +
                line.close_frame(1000));
      EXPECT_EQ(line.next(), "pong:p");
      EXPECT_EQ(seen.messages, (std::vector<std::string>{"binary:" + payload, "text:ab"}));
      EXPECT_EQ(seen.ending, "1000 by peer");
    }
  }
}

TEST_P(ReadStreamTest, is_split_at_every_byte) {
  Line sample{GetParam()};
  const auto bytes = sample.frame(text, "h\xC3\xA9", false) + sample.frame(ping_opcode, "p") +
                     sample.frame(0, "\xE2\x82") + sample.frame(binary, "second");
  const auto good = sample.frame(text, "h\xC3\xA9", false) + sample.frame(ping_opcode, "p") +
                    sample.frame(0, "\xE2\x82\xAC") + sample.frame(binary, "second");
  for (std::size_t cut = 0; cut <= good.size(); ++cut) {
    Line line{GetParam()};
    Seen seen;
    line.loop.run(read_streams(line.connect(), {}, seen));
    line.send(good.substr(0, cut));
    line.send(good.substr(cut));
    EXPECT_EQ(seen.messages,
              (std::vector<std::string>{"text:h\xC3\xA9\xE2\x82\xAC", "binary:second"}))
        << cut;
  }
  Line line{GetParam()};
  Seen seen;
  line.loop.run(read_streams(line.connect(), {}, seen));
  line.send(bytes);
  EXPECT_EQ(seen.messages, (std::vector<std::string>{"!text:h\xC3\xA9"}));
  EXPECT_EQ(seen.ending, "1007 by us (a text is not UTF-8)");
}

TEST_P(ReadStreamTest, ends_well_wherever_the_line_fails) {
  std::uint64_t transfers = 0;
  for (std::uint64_t at = 0; at == 0 || at <= transfers; ++at) {
    for (const bool reset : {false, true}) {
      MemoryStreamOptions options;
      options.largest_transfer = 50;
      (reset ? options.reset_at : options.fail_at) = at;
      Line line{GetParam(), {}, options};
      Seen seen;
      line.loop.run(read_streams(line.connect(), {}, seen));
      line.send(line.frame(text, std::string(500, 'x'), false) + line.frame(ping_opcode, "p") +
                line.frame(0, "end") + line.close_frame(1000));
      line.received();
      if (at == 0) transfers = memory_stream_transfers(*line.peer);
      line.peer.reset();  // it may have been the peer's transfer that failed
      line.loop.settle();
      EXPECT_NE(seen.ending, "");
    }
  }
  EXPECT_GT(transfers, 10u);
}

TEST_P(ReadStreamTest, needs_no_room_for_the_message) {
  Line line{GetParam(), {.message_size = 1000}, {.capacity = 1 << 20}};
  std::uint64_t size = 0;
  std::size_t largest = 0;
  auto count = [](Connection connection, std::uint64_t& total, std::size_t& most) -> Task<> {
    auto stream = co_await connection.read_stream();
    while (auto piece = co_await stream.read()) {
      total += piece->size();
      most = std::max(most, piece->size());
    }
    EXPECT_TRUE(stream.is_complete());
    EXPECT_EQ(stream.size(), total);
  };
  line.loop.run(count(line.connect(), size, largest));
  ASSERT_TRUE(line.send(line.frame(binary, std::string(20 << 20, 'x'))));
  EXPECT_EQ(size, 20u << 20);
  EXPECT_LE(largest, 64u * 1024);
}

TEST_P(ReadStreamTest, begins_in_the_middle_of_a_message_that_is_gathered_already) {
  for (const std::string begun : {"", "a", "ab"}) {
    Line line{GetParam()};
    Seen seen;
    auto late = [](Connection connection, Seen& out) -> Task<> {
      co_await sleep(1s);
      co_await read_streams(std::move(connection), {}, out);
    };
    line.loop.run(late(line.connect(), seen));
    line.send(line.frame(text, begun, false) + line.frame(0, "-").substr(0, 3));
    line.loop.advance(1s);
    line.send(line.frame(0, "-").substr(3) + line.close_frame(1000));
    EXPECT_EQ(seen.messages, std::vector<std::string>{"text:" + begun + "-"});
  }
}

TEST_P(ReadStreamTest, takes_a_message_that_has_come_whole) {
  Line line{GetParam()};
  Seen seen;
  auto late = [](Connection connection, Seen& out) -> Task<> {
    co_await sleep(1s);
    co_await read_streams(std::move(connection), {}, out);
  };
  line.loop.run(late(line.connect(), seen));
  line.send(line.frame(text, "small") + line.frame(binary, std::string(100'000, 'x')) +
            line.frame(text, ""));
  line.loop.advance(1s);
  line.send(line.close_frame(1000));
  EXPECT_EQ(seen.messages, (std::vector<std::string>{
                               "text:small", "binary:" + std::string(100'000, 'x'), "text:"}));
}

TEST_P(ReadStreamTest, a_message_over_the_limit_waits_until_it_is_read_one_way_or_the_other) {
  for (const bool streams : {false, true}) {
    Line line{GetParam(), {.message_size = 1000}};
    Seen seen;
    auto late = [](Connection connection, bool as_stream, Seen& out) -> Task<> {
      co_await sleep(100s);
      if (as_stream) {
        co_await read_streams(std::move(connection), {}, out);
        co_return;
      }
      auto message = co_await connection.read();
      EXPECT_FALSE(message);
      out.ending = describe(connection.close_status());
    };
    line.loop.run(late(line.connect(), streams, seen));
    line.send(line.frame(binary, std::string(2000, 'x')));
    line.loop.advance(50s);
    EXPECT_EQ(line.next(), "");
    line.loop.advance(60s);
    if (streams) line.send(line.close_frame(1000));
    EXPECT_EQ(seen.messages.size(), streams ? 1u : 0u);
    auto answer = line.next();
    while (answer.starts_with("ping:")) answer = line.next();
    EXPECT_EQ(answer, streams ? "close:1000" : "close:1009 the message is too big");
  }
}

TEST_P(ReadStreamTest, a_read_answers_a_message_over_the_limit_with_1009) {
  for (const bool waits : {false, true}) {
    Line line{GetParam(), {.message_size = 1000}};
    auto reader = [](Connection connection, bool first) -> Task<> {
      if (!first) co_await sleep(1s);
      while (auto message = co_await connection.read()) {
      }
    };
    line.loop.run(reader(line.connect(), waits));
    line.send(line.frame(binary, std::string(2000, 'x')).substr(0, 100));
    line.loop.advance(1s);
    EXPECT_EQ(line.next(), "close:1009 the message is too big");
  }
}

TEST_P(ReadStreamTest, has_a_byte_limit_of_its_own) {
  Line line{GetParam()};
  Seen seen;
  ReadStreamOptions options;
  options.message_size = 10;
  line.loop.run(read_streams(line.connect(), options, seen));
  line.send(line.frame(text, "12345", false) + line.frame(0, "67890", false) + line.frame(0, "1"));
  EXPECT_EQ(seen.messages, std::vector<std::string>{"!text:1234567890"});
  EXPECT_EQ(line.next(), "close:1009 the message is too big");
}

TEST_P(ReadStreamTest, a_peer_that_is_too_slow_is_told_so) {
  Line line{GetParam()};
  Seen seen;
  ReadStreamOptions options;
  options.rate_floor = 100;
  options.patience = 10s;
  line.loop.run(read_streams(line.connect(), options, seen));
  line.send(line.frame(binary, std::string(500, 'x'), false));  // worth 5 s, but 10 s are the most
  line.loop.advance(9s);
  EXPECT_EQ(line.next(), "");
  line.send(line.frame(0, std::string(500, 'x'), false));
  line.loop.advance(5s);
  EXPECT_EQ(line.next(), "");
  line.send(line.frame(ping_opcode, ""));  // a sign of life, and no progress
  EXPECT_EQ(line.next(), "pong:");
  line.loop.advance(2s);
  EXPECT_EQ(line.next(), "close:1008 the message comes too slowly");
  EXPECT_EQ(seen.ending, "1008 by us (the message comes too slowly)");
}

TEST_P(ReadStreamTest, a_handler_that_is_slow_is_not_the_peers_fault) {
  Line line{GetParam(), {.ping_interval = 1h}};
  std::string seen;
  auto slow = [](Connection connection, std::string& out) -> Task<> {
    auto stream = co_await connection.read_stream();
    co_await sleep(1000s);
    while (auto piece = co_await stream.read()) {
      out += piece->text();
      co_await sleep(1000s);
    }
    if (stream.is_complete()) out += " complete";
  };
  line.loop.run(slow(line.connect(), seen));
  line.send(line.frame(text, "one ", false));
  line.loop.advance(500s);
  line.send(line.frame(0, "two", false));
  line.loop.advance(1600s);
  line.send(line.frame(0, "three"));
  line.loop.advance(3000s);
  EXPECT_EQ(seen, "one twothree complete");
}

TEST_P(ReadStreamTest, message_time_is_for_whole_messages) {
  Line line{GetParam(), {.message_time = std::chrono::seconds{30}}};
  Seen seen;
  line.loop.run(read_streams(line.connect(), {}, seen));
  line.send(line.frame(binary, "x", false));
  for (int i = 0; i < 20; ++i) {
    line.loop.advance(5s);
    line.send(line.frame(0, std::string(10'000, 'x'), false));
  }
  line.send(line.frame(0, ""));
  EXPECT_EQ(line.next(), "");
  EXPECT_EQ(seen.messages.size(), 1u);
}

TEST_P(ReadStreamTest, dropped_it_skips_the_rest_of_the_message) {
  for (const bool at_once : {false, true}) {
    Line line{GetParam()};
    std::string seen;
    auto picky = [](Connection connection, std::string& out) -> Task<> {
      {
        auto stream = co_await connection.read_stream();
        const auto piece = co_await stream.read();
        if (piece) out += piece->text();
      }
      while (auto message = co_await connection.read()) out += " " + std::string(message->text());
    };
    line.loop.run(picky(line.connect(), seen));
    const auto head = line.frame(text, "head", false);
    const auto tail = line.frame(0, "never \xFF seen", false) + line.frame(ping_opcode, "p") +
                      line.frame(0, "") + line.frame(text, "next");
    if (at_once) {
      line.send(head + tail);
    } else {
      line.send(head);
      line.send(tail);
    }
    EXPECT_EQ(line.next(), "pong:p");
    EXPECT_EQ(seen, "head next");
  }
}

TEST_P(ReadStreamTest, dropped_with_a_piece_unread_it_hears_on) {
  Line line{GetParam()};
  std::string seen;
  auto picky = [](Connection connection, std::string& out) -> Task<> {
    {
      auto stream = co_await connection.read_stream();
      co_await sleep(1s);
    }
    auto stream = co_await connection.read_stream();  // the message behind it
    while (auto piece = co_await stream.read()) out += piece->text();
    auto message = co_await connection.read();
    if (message) out += message->text();
  };
  line.loop.run(picky(line.connect(), seen));
  line.send(line.frame(text, "head", false));
  line.send(line.frame(0, "unread", false));
  line.loop.advance(1s);
  line.send(line.frame(0, "rest") + line.frame(text, "stream,") + line.frame(text, "message"));
  EXPECT_EQ(seen, "stream,message");
}

TEST_P(ReadStreamTest, a_cancelled_read_consumes_nothing) {
  Line line{GetParam()};
  std::string seen;
  auto patient = [](Connection connection, std::string& out) -> Task<> {
    auto begin = [](Connection& of, std::optional<ReadStream>& stream) -> Task<> {
      stream.emplace(co_await of.read_stream());
    };
    auto next = [](ReadStream& of, std::string& to) -> Task<> {
      const auto piece = co_await of.read();
      to += piece ? std::string(piece->text()) : "|";
    };
    std::optional<ReadStream> stream;
    while (!stream) {
      try {
        co_await deadline(1s, begin(connection, stream));
      } catch (const Error&) {
        out += ".";
      }
    }
    while (!stream->is_complete()) {
      try {
        co_await deadline(1s, next(*stream, out));
      } catch (const Error&) {
        out += ".";
      }
    }
    auto message = co_await connection.read();
    if (message) out += message->text();
  };
  line.loop.run(patient(line.connect(), seen));
  const auto bytes = line.frame(text, "abc");
  line.loop.advance(1500ms);
  line.send(bytes.substr(0, 1));
  line.loop.advance(1s);
  line.send(bytes.substr(1, bytes.size() - 3));
  line.loop.advance(1s);
  line.send(bytes.substr(bytes.size() - 2) + line.frame(text, "d"));
  EXPECT_EQ(seen, "..a.bcd");
}

TEST_P(ReadStreamTest, other_reads_at_the_same_time_are_an_error) {
  Line line{GetParam()};
  std::string log;
  auto handler = [](Connection connection, std::string& out) -> Task<> {
    auto stream = co_await connection.read_stream();
    try {
      auto message = co_await connection.read();
    } catch (const Error& error) {
      if (error.code() == Fault::concurrent_read) out += "read ";
    }
    try {
      auto other = co_await connection.read_stream();
    } catch (const Error& error) {
      if (error.code() == Fault::concurrent_read) out += "stream ";
    }
    while (auto piece = co_await stream.read()) out += piece->text();
    auto message = co_await connection.read();
    if (message) out += " " + std::string(message->text());
  };
  line.loop.run(handler(line.connect(), log));
  line.send(line.frame(text, "one", false) + line.frame(0, ",two") + line.frame(text, "three"));
  EXPECT_EQ(log, "read stream one,two three");
}

TEST_P(ReadStreamTest, no_limit_is_not_a_value) {
  Line line{GetParam()};
  auto connection = line.connect();
  for (int which = 0; which < 3; ++which) {
    ReadStreamOptions options;
    if (which == 0) options.message_size = 0;
    if (which == 1) options.rate_floor = 0;
    if (which == 2) options.patience = Duration::zero();
    EXPECT_THROW(static_cast<void>(connection.read_stream(options)), Error);
  }
}

}  // namespace
}  // namespace hotline::websocket
