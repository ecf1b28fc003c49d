#include <hotline/net/stop_source.h>

#include <thread>

#include <hotline/base/error.h>
#include <hotline/net/offload.h>
#include <hotline/net/sleep.h>

#include "net/net_fixture.h"

namespace hotline {
namespace {

using namespace std::chrono_literals;

// Leaves its token to the test, and waits.
Task<> work(std::stop_token& token) {
  StopSource stop;
  token = stop.token();
  co_await sleep(1h);
}

TEST(StopSource, requests_stop_when_the_loop_drains) {
  TestLoop loop;
  std::stop_token token;
  bool called = false;
  loop.run(work(token));
  EXPECT_FALSE(token.stop_requested());
  const std::stop_callback callback{token, [&called] { called = true; }};
  loop.drain();
  EXPECT_TRUE(token.stop_requested());
  EXPECT_TRUE(called);
}

TEST(StopSource, requests_stop_at_once_where_the_loop_drains_already) {
  TestLoop loop;
  loop.drain();
  loop.call([] { EXPECT_TRUE(StopSource{}.is_requested()); });
}

TEST(StopSource, requests_stop_when_its_task_is_cancelled) {
  TestLoop loop;
  std::stop_token token;
  loop.run(work(token));
  loop.cancel();
  EXPECT_TRUE(token.stop_requested());
}

TEST(StopSource, requests_stop_when_its_task_has_ended) {
  TestLoop loop;
  std::stop_token token;
  loop.run(work(token));
  loop.advance(1h);
  EXPECT_TRUE(token.stop_requested());
}

TEST(StopSource, requests_stop_when_the_loop_ends) {
  std::stop_token token;
  Task<> task;
  TaskGroup group;
  {
    Loop loop;
    {
      Turn turn{loop};
      group.spawn(work(token));
    }
  }
  EXPECT_TRUE(token.stop_requested());
}

TEST(StopSource, requests_stop_when_asked) {
  TestLoop loop;
  loop.call([] {
    StopSource stop;
    const auto token = stop.token();
    EXPECT_TRUE(token.stop_possible());
    stop.request();
    EXPECT_TRUE(token.stop_requested());
  });
}

TEST(StopSource, needs_a_loop) { EXPECT_THROW(StopSource{}, Error); }

TEST(StopSource, ends_work_on_another_thread) {
  Loop loop;
  bool ended = false;
  const auto task = [](bool& done) -> Task<> {
    StopSource stop;
    Offload search{[token = stop.token()] {
      while (!token.stop_requested()) std::this_thread::yield();
      return true;
    }};
    stop.request();
    done = co_await search;
    Loop::require().stop();
  };
  TaskGroup group;
  {
    Turn turn{loop};
    group.spawn(task(ended));
  }
  loop.run();
  EXPECT_TRUE(ended);
}

}  // namespace
}  // namespace hotline
