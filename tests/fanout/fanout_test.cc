// A thousand receivers, one of which does not read: what is kept for it is bounded, and the others
// hear on. The latencies are printed, not judged.
#include <malloc.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/hotline.h>

#include "support/raw_peer.h"

namespace hotline {
namespace {

using Clock = std::chrono::steady_clock;
using websocket::Connection;
using websocket::Overflow;
using websocket::Prepared;
using websocket::Sender;

constexpr std::size_t receivers = 1000;
constexpr std::size_t message_size = 4096;
constexpr std::size_t frame_size = message_size + 4;
constexpr std::size_t rounds = 200;
constexpr std::size_t outbox_messages = 50;

/// All connections' senders, in the order in which the connections were made.
class Audience {
 public:
  void join(Sender sender) {
    const std::lock_guard lock{mutex_};
    senders_.push_back(std::move(sender));
  }
  std::vector<Sender> senders() const {
    const std::lock_guard lock{mutex_};
    return senders_;
  }

 private:
  mutable std::mutex mutex_;
  std::vector<Sender> senders_;
};

Task<> listen(Connection connection, Audience& audience) {
  const int small = 32 * 1024;  // so that the system does not take it all in the reader's stead
  ::setsockopt(connection.descriptor(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  audience.join(
      connection.sender({.messages = outbox_messages, .overflow = Overflow::drop_oldest}));
  connection.discard_input();
  co_await connection.closed();
}

/// A client that counts bytes.
class Ear {
 public:
  Ear(std::uint16_t port, int poll) : peer_(port, "/feed", 8 * 1024) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = this;
    ::epoll_ctl(poll, EPOLL_CTL_ADD, peer_.descriptor(), &event);
  }

  void read() {
    static char buffer[64 * 1024];
    bytes += peer_.receive(buffer, MSG_DONTWAIT);
  }
  void forget(int poll) const { ::epoll_ctl(poll, EPOLL_CTL_DEL, peer_.descriptor(), nullptr); }

  std::size_t bytes = 0;

 private:
  testing::RawPeer peer_;
};

class Hall {
 public:
  Hall() : poll_(::epoll_create1(0)) {
    server_.handle("/feed", upgrader_.handler([this](Connection connection) {
      return listen(std::move(connection), audience_);
    }));
    server_.listen();
    thread_ = std::thread([this] { EXPECT_EQ(server_.run(), 0); });
    for (std::size_t i = 0; i < receivers; ++i) {
      ears_.push_back(std::make_unique<Ear>(server_.port(), poll_));
      // So that senders stand in the order of the ears.
      while (audience_.senders().size() != i + 1) std::this_thread::yield();
    }
  }
  ~Hall() {
    ears_.clear();
    server_.drain();
    thread_.join();
    ::close(poll_);
  }

  /// The last one stops reading.
  void fall_asleep() {
    ears_.back()->forget(poll_);
    awake_ = receivers - 1;
  }

  /// Sends one message to all; how long it takes until those who are awake have it, in
  /// microseconds.
  double say(const Prepared& message) {
    const auto begin = Clock::now();
    for (const auto& sender : audience_.senders()) sender.send(message);
    said_ += frame_size;
    for (std::size_t heard = 0; heard < awake_;) {
      epoll_event events[256];
      const int count = ::epoll_wait(poll_, events, 256, 10'000);
      if (count <= 0) throw std::runtime_error("not all have heard it");
      for (int i = 0; i < count; ++i) {
        auto& ear = *static_cast<Ear*>(events[i].data.ptr);
        ear.read();
        if (ear.bytes == said_) ++heard;
      }
    }
    return std::chrono::duration<double, std::micro>(Clock::now() - begin).count();
  }

  Sender sleeper() const { return audience_.senders().back(); }

 private:
  // An ear hears messages, and answers no ping.
  const websocket::Upgrader upgrader_{{.limits = {.ping_interval = std::chrono::hours(1)}}};
  http::Server server_{{.port = 0}};
  Audience audience_;
  int poll_;
  std::vector<std::unique_ptr<Ear>> ears_;
  std::thread thread_;
  std::size_t awake_ = receivers;
  std::size_t said_ = 0;
};

void report(const char* when, std::vector<double> times) {
  std::sort(times.begin(), times.end());
  std::printf("%s: a message to %zu receivers, p50 %.0f us, p99 %.0f us\n", when, receivers,
              times[times.size() / 2], times[times.size() * 99 / 100]);
}

TEST(Fanout, a_reader_that_sleeps_costs_its_outbox_and_nobody_elses_time) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < 2 * receivers + 100) GTEST_SKIP() << "too few descriptors";

  Hall hall;
  const auto message = [] {
    const std::string bytes(message_size, 'x');
    return Prepared{std::as_bytes(std::span{bytes})};
  };
  std::vector<double> times;
  for (std::size_t i = 0; i < rounds; ++i) times.push_back(hall.say(message()));
  report("all read", times);

  hall.fall_asleep();
  times.clear();
  const auto before = ::mallinfo2().uordblks;
  for (std::size_t i = 0; i < rounds; ++i) times.push_back(hall.say(message()));
  report("one sleeps", times);
  const auto after = ::mallinfo2().uordblks;

  const auto counters = hall.sleeper().counters();
  EXPECT_EQ(counters.waiting, outbox_messages);
  EXPECT_GT(counters.dropped, 0u);
  // Its outbox, 64 KiB and one message more; and some 50 bytes for each message.
  const auto most = outbox_messages * (frame_size + 64) + 64 * 1024 + 2 * frame_size;
  const auto kept = after > before ? after - before : 0;
  std::printf("kept for it: %zu bytes of at most %zu\n", static_cast<std::size_t>(kept), most);
  EXPECT_LE(kept, most + 64 * 1024) << "give or take the allocator's";
}

}  // namespace
}  // namespace hotline
