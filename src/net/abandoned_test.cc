// What lives by itself on a loop ends with it: nothing is left, and nobody touches it afterwards.
#include <sys/socket.h>

#include <array>
#include <memory>
#include <optional>

#include <hotline/base/error.h>
#include <hotline/net/byte_stream.h>
#include <hotline/net/offload.h>
#include <hotline/net/sleep.h>

#include "net/linger.h"
#include "net/net_fixture.h"
#include "net/tcp_stream.h"
#include "support/ended_loop.h"

namespace hotline {
namespace {

struct SameDescriptors {
  ~SameDescriptors() { EXPECT_EQ(open_descriptors(), before); }
  std::ptrdiff_t before = open_descriptors();
};

struct EndedLoop : SameDescriptors, testing::EndedLoop {
  StreamPointer socket() {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
    peer = TcpStream::adopt(*loop, pair[1], {}, {});
    return TcpStream::adopt(*loop, pair[0], {}, {});
  }
};

TEST(Abandoned, lingering_closes_at_once) {
  EndedLoop ended;
  linger(*ended.loop, ended.stream());
  ended.loop->run_ready();
  EXPECT_EQ(ended.loop->connections(), 1u);
  ended.abandon();
  EXPECT_EQ(ended.peer->try_write(span_of("x")).error, EPIPE);
}

TEST(Abandoned, lingering_ends_with_its_loop) {
  for (const bool in_memory : {true, false}) {
    EndedLoop ended;
    linger(*ended.loop, in_memory ? ended.stream() : ended.socket());
    ended.loop->run_ready();
    ended.end();
  }
}

Task<> write(ByteStream stream, std::string bytes, std::string* log = nullptr) {
  const bool good = co_await stream.write(bytes);
  if (log) *log += good ? "written" : "lost";
}

TEST(Abandoned, a_byte_stream_that_flushes_closes_at_once) {
  EndedLoop ended;
  ended.spawn(write(ByteStream{*ended.loop, ended.stream({.capacity = 10})}, pattern(1000)));
  EXPECT_EQ(ended.group.size(), 0u);
  EXPECT_EQ(ended.loop->connections(), 1u) << "it sends on";
  ended.abandon();
  EXPECT_EQ(ended.peer->try_write(span_of("x")).error, EPIPE);
}

TEST(Abandoned, a_byte_stream_that_flushes_ends_with_its_loop) {
  for (const bool in_memory : {true, false}) {
    EndedLoop ended;
    auto stream = in_memory ? ended.stream({.capacity = 10}) : ended.socket();
    // Below the high-water mark in the end, and more than a socket takes.
    std::string bytes = pattern(1 << 20);
    ended.spawn([](ByteStream bytes_stream, std::string text) -> Task<> {
      auto waiting = bytes_stream.write(text);
      detail::Chain chain;
      struct Nobody final : detail::ChainOwner {
        void chain_finished() noexcept override {}
      } nobody;
      chain.start(std::move(waiting), nobody);
      co_return;
    }(ByteStream{*ended.loop, std::move(stream)}, std::move(bytes)));
    EXPECT_EQ(ended.group.size(), 0u);
    EXPECT_EQ(ended.loop->connections(), 1u);
    ended.end();
  }
}

TEST(Abandoned, a_byte_stream_that_has_an_owner_outlives_its_loop) {
  for (const bool in_memory : {true, false}) {
    EndedLoop ended;
    auto stream = in_memory ? ended.stream() : ended.socket();
    ended.spawn([](ByteStream bytes) -> Task<> {
      std::array<char, 10> buffer;
      while (const auto count = co_await bytes.read_some(buffer)) (void)count;
    }(ByteStream{*ended.loop, std::move(stream)}));
    EXPECT_EQ(ended.group.size(), 1u);
    ended.end();
    EXPECT_EQ(ended.group.size(), 1u) << "nothing is resumed";
    ended.group.cancel();
  }
}

TEST(Abandoned, a_write_that_waits_hears_of_it) {
  EndedLoop ended;
  std::string log;
  ended.spawn(
      write(ByteStream{*ended.loop, ended.stream({.capacity = 10})}, pattern(1 << 20), &log));
  EXPECT_EQ(log, "");
  ended.end();
  EXPECT_EQ(log, "lost");
}

TEST(Abandoned, tells_of_a_byte_stream_what_it_can) {
  EndedLoop ended;
  std::optional<ByteStream> bytes{std::in_place, *ended.loop, ended.stream()};
  ended.abandon();
  EXPECT_TRUE(bytes->remote_address().empty());
  bytes->shut_down();
  std::string log;
  ended.spawn([](ByteStream& stream, std::string& text) -> Task<> {
    char buffer[10];
    try {
      const auto count = co_await stream.read_some(buffer);
      text += std::to_string(count);
    } catch (const Error& error) {
      text += error.is(Condition::connection_closed) ? "closed" : error.what();
    }
    const bool good = co_await stream.write("x");
    text += good ? " written" : " lost";
  }(*bytes, log));
  EXPECT_EQ(log, "closed lost");
}

TEST(Abandoned, sleeping_and_offloading_tasks_are_destroyed_after_the_loop) {
  EndedLoop ended;
  int resumed = 0;
  ended.spawn([](int& count) -> Task<> {
    co_await sleep(1h);
    ++count;
  }(resumed));
  ended.spawn([](int& count) -> Task<> {
    Offload work{[] { return 1; }};
    const int result = co_await work;
    count += result;
  }(resumed));
  EXPECT_EQ(ended.group.size(), 2u);
  ended.end();
  EXPECT_EQ(ended.group.size(), 2u);
  ended.group.cancel();
  EXPECT_EQ(resumed, 0);
}

TEST(Abandoned, a_loop_lets_nobody_sleep_any_more) {
  EndedLoop ended;
  ended.abandon();
  bool cancelled = false;
  ended.spawn([](bool& result) -> Task<> {
    try {
      co_await sleep(1h);
    } catch (const Cancelled&) {
      result = true;
    }
  }(cancelled));
  EXPECT_TRUE(cancelled);
}

}  // namespace
}  // namespace hotline
