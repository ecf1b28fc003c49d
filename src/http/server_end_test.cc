#include "http/server_end.h"

#include <thread>

#include <gtest/gtest.h>

#include <hotline/base/error.h>
#include <hotline/http/server.h>

#include "support/test_loop.h"

namespace hotline::http {
namespace {

using namespace std::chrono_literals;
using hotline::testing::TestLoop;

ServerOptions on_a_free_port() {
  ServerOptions options;
  options.port = 0;
  options.handle_signals = false;
  return options;
}

TEST(ServerEnd, is_waited_for_by_threads) {
  Server server{on_a_free_port()};
  server.listen();
  EXPECT_FALSE(server.wait_for(0ms));
  std::thread runner{[&] { EXPECT_EQ(server.run(), 0); }};
  server.drain();
  server.wait();
  EXPECT_TRUE(server.wait_for(0ms));
  runner.join();
}

TEST(ServerEnd, is_awaited_on_another_loop) {
  Server server{on_a_free_port()};
  server.listen();
  Loop loop;
  bool ended = false;
  const auto wait = [](Server& other, bool& done) -> Task<> {
    co_await other.ended();
    done = true;
    Loop::require().stop();
  };
  TaskGroup group;
  {
    Turn turn{loop};
    group.spawn(wait(server, ended));
  }
  EXPECT_FALSE(ended);
  std::thread runner{[&] { EXPECT_EQ(server.run(), 0); }};
  server.drain();
  loop.run();
  EXPECT_TRUE(ended);
  runner.join();
}

// Waits, and says how that ended.
Task<> wait(std::shared_ptr<ServerEnd> end, std::string& log) {
  try {
    co_await ServerEnd::awaited(end);
    log = "ended";
  } catch (const Cancelled&) {
    log = "cancelled";
  }
}

TEST(ServerEnd, that_was_told_before_is_no_wait) {
  TestLoop loop;
  const auto end = std::make_shared<ServerEnd>();
  end->tell();
  std::string log;
  loop.run(wait(end, log));
  EXPECT_EQ(log, "ended");
}

TEST(ServerEnd, is_told_by_the_servers_destruction) {
  TestLoop loop;
  auto server = std::make_unique<Server>(on_a_free_port());
  const auto task = [](Server& own, bool& done) -> Task<> {
    co_await own.ended();
    done = true;
  };
  bool ended = false;
  loop.run(task(*server, ended));
  server.reset();
  loop.settle();
  EXPECT_TRUE(ended);
}

TEST(ServerEnd, is_waited_for_no_longer_when_the_own_loop_drains) {
  TestLoop loop;
  const auto end = std::make_shared<ServerEnd>();
  std::string log;
  loop.run(wait(end, log));
  loop.drain();
  EXPECT_EQ(log, "cancelled");
  loop.run(wait(end, log));
  EXPECT_EQ(log, "cancelled") << "nor begun";
  end->tell();
}

TEST(ServerEnd, may_come_when_nobody_waits_any_more) {
  const auto end = std::make_shared<ServerEnd>();
  std::string log;
  {
    TestLoop loop;
    loop.run(wait(end, log));
    loop.run(wait(end, log));
    loop.cancel();
  }
  end->tell();
  EXPECT_EQ(log, "");
}

}  // namespace
}  // namespace hotline::http
