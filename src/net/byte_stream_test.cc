#include <hotline/net/byte_stream.h>

#include <array>
#include <optional>

#include <hotline/base/error.h>
#include <hotline/net/deadline.h>

#include "net/net_fixture.h"

namespace hotline {
namespace {

/// A byte stream, a handler that has it, and what the handler notes down.
class ByteStreamTest : public ::testing::Test {
 protected:
  void open(const MemoryStreamOptions& options = {}, std::string received = {},
            std::string unsent = {}) {
    auto [ours, theirs] = make_memory_streams(*loop, options);
    peer = std::move(theirs);
    Turn turn{*loop};
    stream.emplace(*loop, std::move(ours), std::move(received), std::move(unsent));
  }
  ~ByteStreamTest() override {
    loop.cancel();
    stream.reset();
    peer.reset();
    loop.advance(10s);
  }
  void send(std::string_view bytes) {
    peer->try_write(span_of(bytes));
    loop.settle();
  }
  std::string received() { return read_all(loop, *peer); }

  TestLoop loop;
  StreamPointer peer;
  std::optional<ByteStream> stream;
  std::string log;
};

// Reads to the end: "[hello][ world]end", or "error".
Task<> read_to_the_end(ByteStream& stream, std::string& log, std::size_t most = 100) {
  std::string buffer(most, '\0');
  try {
    for (;;) {
      const auto count = co_await stream.read_some(buffer);
      if (count == 0) break;
      log += "[" + buffer.substr(0, count) + "]";
    }
    log += "end";
  } catch (const Error& error) {
    if (error.is(Condition::connection_lost)) log += "lost";
    if (error.is(Condition::connection_closed)) log += "closed";
    if (error.is(Condition::misuse)) log += "misuse";
  }
}

Task<> write(ByteStream& stream, std::string bytes, std::string& log) {
  const bool good = co_await stream.write(bytes);
  log += good ? "written " : "lost ";
}

TEST_F(ByteStreamTest, reads_what_was_left_over_first) {
  open({}, "left over");
  loop.run(read_to_the_end(*stream, log, 5));
  send("new");
  peer.reset();
  loop.settle();
  EXPECT_EQ(log, "[left ][over][new]end");
}

// A read that hears of a drain, and the one behind it.
Task<> read_through_a_drain(ByteStream& stream, std::string& log) {
  std::string buffer(100, '\0');
  for (int i = 0; i < 2; ++i) {
    try {
      const auto count = co_await stream.read_some(buffer);
      log += "[" + buffer.substr(0, count) + "]";
    } catch (const Cancelled&) {
      log += "cancelled ";
    }
  }
}

TEST_F(ByteStreamTest, a_read_hears_of_a_drain_once) {
  open();
  loop.run(read_through_a_drain(*stream, log));
  loop->drain();
  loop.settle();
  EXPECT_EQ(log, "cancelled ");
  send("later");
  EXPECT_EQ(log, "cancelled [later]");
}

TEST_F(ByteStreamTest, a_read_that_begins_in_a_drain_hears_of_it_once) {
  open();
  loop->drain();
  send("already there");
  loop.run(read_through_a_drain(*stream, log));
  EXPECT_EQ(log, "cancelled [already there]");
}

TEST_F(ByteStreamTest, reads_a_byte_at_a_time) {
  open({.largest_transfer = 1, .stall_one_in = 3});
  loop.run(read_to_the_end(*stream, log));
  for (const char* byte : {"a", "b", "c"}) {
    while (peer->try_write(span_of(byte)).size == 0) {
    }
    loop.settle();
  }
  peer->shut_down();
  loop.settle();
  EXPECT_EQ(log, "[a][b][c]end");
}

TEST_F(ByteStreamTest, sends_first_what_was_unsent) {
  open({}, {}, "unsent ");
  loop.run(write(*stream, "first ", log));
  loop.run(write(*stream, "second", log));
  EXPECT_EQ(log, "written written ");
  EXPECT_EQ(received(), "unsent first second");
}

TEST_F(ByteStreamTest, writes_wait_while_the_peer_is_slow) {
  open({.capacity = 1000});
  loop.run(write(*stream, pattern(200'000), log));
  loop.run(write(*stream, "behind", log));
  EXPECT_EQ(log, "");
  EXPECT_EQ(loop.waiting(), 2u);
  EXPECT_EQ(received(), pattern(200'000) + "behind");
  EXPECT_EQ(log, "written written ");
}

TEST_F(ByteStreamTest, an_abandoned_write_is_sent_all_the_same) {
  open({.capacity = 1000});
  loop.run(write(*stream, pattern(200'000), log));
  loop.cancel();
  EXPECT_EQ(received(), pattern(200'000));
  EXPECT_EQ(log, "");
}

TEST_F(ByteStreamTest, shuts_down_behind_the_backlog_and_still_reads) {
  open({.capacity = 1000});
  loop.run(write(*stream, pattern(50'000), log));
  stream->shut_down();
  loop.run(read_to_the_end(*stream, log));
  EXPECT_EQ(received(), pattern(50'000) + ".");
  send("answer");
  EXPECT_EQ(log, "written [answer]");
}

TEST_F(ByteStreamTest, shuts_down_at_once_where_nothing_waits) {
  open();
  stream->shut_down();
  EXPECT_EQ(received(), ".");
}

TEST_F(ByteStreamTest, that_is_dropped_still_sends_what_was_written) {
  open({.capacity = 1000});
  loop.run(write(*stream, pattern(50'000), log));
  stream.reset();
  EXPECT_EQ(loop->connections(), 1u);
  EXPECT_EQ(received(), pattern(50'000) + ".");
}

TEST_F(ByteStreamTest, that_is_dropped_waits_until_the_peer_has_closed) {
  // Closing with unread bytes would reset the connection, and the peer lose the last words.
  open();
  send("not read by anybody");
  loop.run(write(*stream, "goodbye", log));
  stream.reset();
  loop.settle();
  EXPECT_EQ(loop->connections(), 1u);
  EXPECT_EQ(peer->try_write(span_of("more")).error, 0);
  EXPECT_EQ(received(), "goodbye.");
  peer.reset();
  loop.settle();
  EXPECT_EQ(loop->connections(), 0u);
}

TEST_F(ByteStreamTest, that_is_dropped_gives_a_peer_that_never_reads_five_seconds) {
  open({.capacity = 1000});
  loop.run(write(*stream, pattern(50'000), log));
  stream.reset();
  loop.advance(4s);
  EXPECT_EQ(loop->connections(), 1u);
  loop.advance(1s);
  EXPECT_EQ(loop->connections(), 0u);
}

TEST_F(ByteStreamTest, says_that_the_connection_is_lost_to_a_reader) {
  open({.reset_at = 1});
  loop.run(read_to_the_end(*stream, log));
  send("x");
  EXPECT_EQ(log, "lost");
}

TEST_F(ByteStreamTest, says_that_the_connection_is_lost_to_a_writer_that_waits) {
  open({.capacity = 1000});
  loop.run(write(*stream, pattern(200'000), log));
  peer.reset();
  loop.settle();
  EXPECT_EQ(log, "lost ");
  loop.run(write(*stream, "more", log));
  EXPECT_EQ(log, "lost lost ");
}

TEST_F(ByteStreamTest, reports_a_second_read_and_leaves_the_first_alone) {
  open();
  std::string second;
  loop.run(read_to_the_end(*stream, log));
  loop.run(read_to_the_end(*stream, second));
  EXPECT_EQ(second, "misuse");
  send("x");
  EXPECT_EQ(log, "[x]");
}

TEST_F(ByteStreamTest, a_read_that_is_cut_off_consumes_nothing) {
  open();
  loop.run([](ByteStream& bytes, std::string& text) -> Task<> {
    try {
      std::array<char, 10> buffer;
      const auto count = co_await deadline(1s, bytes.read_some(buffer));
      text += std::to_string(count);
    } catch (const Error& error) {
      text += error.is(Condition::timed_out) ? "late " : "?";
    }
  }(*stream, log));
  loop.advance(1s);
  send("whole");
  loop.run(read_to_the_end(*stream, log));
  EXPECT_EQ(log, "late [whole]");
}

TEST_F(ByteStreamTest, a_reader_whose_stream_is_dropped_is_told) {
  open();
  loop.run(read_to_the_end(*stream, log));
  {
    Turn turn{*loop};
    stream.reset();
  }
  EXPECT_EQ(log, "closed");
  EXPECT_EQ(loop.waiting(), 0u);
}

TEST_F(ByteStreamTest, can_be_moved_over_another) {
  open();
  auto first_peer = std::move(peer);
  auto first = std::move(*stream);
  open();
  first = std::move(*stream);
  EXPECT_EQ(read_all(loop, *first_peer), ".");
  loop.run(write(first, "x", log));
  EXPECT_EQ(received(), "x");
}

}  // namespace
}  // namespace hotline
