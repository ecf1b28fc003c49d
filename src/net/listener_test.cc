#include "net/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

#include <cerrno>
#include <memory>
#include <set>
#include <stdexcept>
#include <thread>
#include <vector>

#include <hotline/base/error.h>

#include "net/net_fixture.h"

namespace hotline {
namespace {

/// A client's socket, connected or not.
class Caller {
 public:
  explicit Caller(const Address& to)
      : descriptor_(::socket(to.is_ipv6() ? AF_INET6 : AF_INET, SOCK_STREAM, 0)) {
    if (to.is_ipv6()) {
      sockaddr_in6 address{};
      address.sin6_family = AF_INET6;
      address.sin6_addr = in6addr_loopback;
      address.sin6_port = htons(to.port());
      connect(reinterpret_cast<sockaddr*>(&address), sizeof address);
    } else {
      sockaddr_in address{};
      address.sin_family = AF_INET;
      address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
      address.sin_port = htons(to.port());
      connect(reinterpret_cast<sockaddr*>(&address), sizeof address);
    }
  }
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;
  ~Caller() { ::close(descriptor_); }
  bool connected = false;

 private:
  void connect(const sockaddr* address, socklen_t size) {
    connected = ::connect(descriptor_, address, size) == 0;
  }
  int descriptor_;
};

/// Loops that accept, run by the test's own thread.
class ListenerTest : public ::testing::Test {
 protected:
  void listen(unsigned threads = 1, const std::string& address = "127.0.0.1") {
    LoopOptions options;
    options.logger = logger;
    options.clock = &clock;
    loops = std::make_unique<LoopGroup>(threads, options);
    listener = std::make_unique<Listener>(*loops, *Address::parse(address, 0), accepted());
    for (std::size_t i = 0; i < threads; ++i) listener->start(i);
  }
  Listener::Accepted accepted() {
    return [this](Loop& loop, StreamPointer stream, const Listener& by) {
      EXPECT_EQ(Loop::current(), &loop);
      EXPECT_EQ(&by, listener.get());
      accepted_by.push_back(&loop);
      streams.push_back(std::move(stream));
    };
  }
  void call(int times = 1) {
    for (int i = 0; i < times; ++i) {
      callers.push_back(std::make_unique<Caller>(listener->address()));
      EXPECT_TRUE(callers.back()->connected);
    }
  }
  void settle() {
    for (auto& loop : *loops) loop->run_ready();
  }
  ~ListenerTest() override {
    callers.clear();
    streams.clear();
    listener.reset();
    loops.reset();
    EXPECT_EQ(open_descriptors(), descriptors_);
  }

  std::ptrdiff_t descriptors_ = open_descriptors();
  VirtualClock clock;
  std::shared_ptr<MemoryLogger> logger = std::make_shared<MemoryLogger>();
  std::unique_ptr<LoopGroup> loops;
  std::unique_ptr<Listener> listener;
  std::vector<Loop*> accepted_by;
  std::vector<StreamPointer> streams;
  std::vector<std::unique_ptr<Caller>> callers;
};

TEST_F(ListenerTest, accepts_and_says_who_called) {
  listen();
  EXPECT_NE(listener->port(), 0);
  call();
  settle();
  ASSERT_EQ(streams.size(), 1u);
  EXPECT_EQ(streams[0]->remote_address().host(), "127.0.0.1");
  EXPECT_EQ(streams[0]->local_address(), listener->address());
  EXPECT_TRUE(sends_at_once(*streams[0]));
}

TEST_F(ListenerTest, accepts_by_ipv6) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  listen(2, "::1");
  call(10);
  settle();
  ASSERT_EQ(streams.size(), 10u);
  EXPECT_EQ(streams[0]->remote_address().host(), "::1");
  EXPECT_EQ(streams[0]->local_address().to_string(), "[::1]:" + std::to_string(listener->port()));
}

TEST_F(ListenerTest, accepts_more_than_one_batch) {
  listen();
  call(100);
  settle();
  EXPECT_EQ(streams.size(), 100u);
}

TEST_F(ListenerTest, has_a_port_of_its_own) {
  for (const unsigned threads : {1u, 2u}) {
    listener.reset();
    listen(threads);
    for (const unsigned others : {1u, 2u}) {
      LoopGroup other{others, {}};
      try {
        Listener second{other, *Address::parse("127.0.0.1", listener->port()), {}};
        FAIL() << "it must not take half of the connections silently";
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), std::errc::address_in_use);
        EXPECT_NE(std::string(error.what())
                      .find("cannot bind " + listener->address().to_string() +
                            " (is another server running there?)"),
                  std::string::npos)
            << error.what();
      }
    }
  }
}

TEST_F(ListenerTest, spreads_the_connections_over_all_loops) {
  listen(2);
  call(64);
  settle();
  EXPECT_EQ(streams.size(), 64u);
  EXPECT_EQ(std::set<Loop*>(accepted_by.begin(), accepted_by.end()).size(), 2u);
}

TEST_F(ListenerTest, drains_what_is_queued_and_then_closes) {
  listen(2);
  call(20);
  for (std::size_t i = 0; i < 2; ++i) {
    Turn turn{(*loops)[i]};
    listener->drain(i);
  }
  EXPECT_EQ(streams.size(), 20u);
  EXPECT_FALSE(Caller(listener->address()).connected);
  settle();
  listener->drain(0);
}

TEST_F(ListenerTest, pauses_without_descriptors_and_recovers) {
  listen();
  call(3);
  rlimit limit{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &limit), 0);
  auto low = limit;
  low.rlim_cur = 3;  // whatever is open already stays so
  // clang's check of virtual calls wants descriptors where it sees a type for the first time.
  (*loops)[0].log(LogLevel::info, [] { return "about to run out"; });
  for (int round = 1; round <= 2; ++round) {
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &low), 0);
    (*loops)[0].run_ready();  // it returns: it does not spin
    ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &limit), 0);
    EXPECT_TRUE(streams.empty());
    EXPECT_EQ((*loops)[0].next_deadline(), TimePoint{} + round * 100ms);
    clock.advance(100ms);
    (*loops)[0].run_timers();
  }
  ASSERT_EQ(logger->lines.size(), 2u) << "once in ten seconds";
  EXPECT_NE(logger->lines[1].find("ulimit"), std::string::npos);
  settle();
  EXPECT_EQ(streams.size(), 3u);
  EXPECT_EQ((*loops)[0].next_deadline(), std::nullopt);
}

// ---- The loops of a runtime

TEST(LoopGroup, ends_where_one_of_its_loops_throws_and_says_so) {
  LoopGroup loops{3, {}};
  for (std::size_t thrower = 0; thrower < 3; ++thrower) {
    loops[thrower].post([] { throw std::runtime_error("out of a callback"); });
    try {
      loops.run();
      FAIL() << "loop " << thrower;
    } catch (const std::runtime_error& error) {
      EXPECT_STREQ(error.what(), "out of a callback");
    }
    EXPECT_EQ(Loop::current(), nullptr);
  }
  bool ran = false;
  loops[2].post([&] {
    ran = true;
    loops.stop();
  });
  loops.run();
  EXPECT_TRUE(ran) << "and may run again";
}

TEST(LoopGroup, runs_each_loop_on_a_thread_of_its_own_until_it_is_stopped) {
  LoopGroup loops{3, {}};
  std::thread::id threads[3];
  std::atomic<int> seen = 0;
  for (std::size_t i = 0; i < 3; ++i) {
    loops[i].post([&, i] {
      EXPECT_EQ(Loop::current(), &loops[i]);
      threads[i] = std::this_thread::get_id();
      ++seen;
    });
  }
  std::thread stopper{[&] {
    while (seen < 3) std::this_thread::yield();
    loops.stop();
  }};
  loops.run();
  stopper.join();
  EXPECT_EQ(threads[0], std::this_thread::get_id());
  EXPECT_EQ((std::set{threads[0], threads[1], threads[2]}).size(), 3u);
}

TEST(LoopGroup, may_run_again) {
  LoopGroup loops{2, {}};
  for (int round = 0; round < 3; ++round) {
    bool ran = false;
    loops[1].post([&] {
      ran = true;
      loops.stop();
    });
    loops.run();
    EXPECT_TRUE(ran);
  }
}

TEST(LoopGroup, takes_work_from_all_threads) {
  LoopGroup loops{2, {}};
  constexpr int each = 2000;
  int counts[2] = {};  // of one loop's thread each: no lock
  std::atomic<int> left = 2 * 2 * each;
  const auto work = [&] {
    for (int i = 0; i < each; ++i) {
      for (std::size_t loop = 0; loop < 2; ++loop) {
        loops[loop].post([&, loop] {
          ++counts[loop];
          if (--left == 0) loops.stop();
        });
      }
    }
  };
  std::thread one{work};
  std::thread other{work};
  loops.run();
  one.join();
  other.join();
  EXPECT_EQ(counts[0], 2 * each);
  EXPECT_EQ(counts[1], 2 * each);
}

TEST(LoopGroup, has_from_one_to_1024_loops) {
  EXPECT_THROW(LoopGroup(0, {}), Error);
  EXPECT_THROW(LoopGroup(1025, {}), Error);
}

}  // namespace
}  // namespace hotline
