// sleep, deadline and offload.
#include <atomic>
#include <memory>
#include <stdexcept>
#include <thread>

#include <hotline/base/error.h>
#include <hotline/net/deadline.h>
#include <hotline/net/offload.h>
#include <hotline/net/sleep.h>

#include "net/net_fixture.h"

namespace hotline {
namespace {

Task<> sleep_and_say(Duration duration, std::string& log, std::string word) {
  try {
    co_await sleep(duration);
    log += word;
  } catch (const Cancelled&) {
    log += "cancelled ";
  }
}

TEST(Sleep, ends_in_the_order_of_time) {
  TestLoop loop;
  std::string log;
  loop.run(sleep_and_say(3s, log, "c"));
  loop.run(sleep_and_say(1s, log, "a"));
  loop.run(sleep_and_say(2s, log, "b"));
  loop.advance(2s);
  EXPECT_EQ(log, "ab");
  loop.advance(1s);
  EXPECT_EQ(log, "abc");
}

TEST(Sleep, of_no_time_still_lets_the_loop_have_a_turn) {
  TestLoop loop;
  std::string log;
  loop.run(sleep_and_say(-1s, log, "a"));
  loop.run(sleep_and_say(0s, log, "b"));
  EXPECT_EQ(log, "");
  loop.advance(0s);
  EXPECT_EQ(log, "ab");
}

TEST(Sleep, can_be_cancelled_by_destroying_it) {
  TestLoop loop;
  std::string log;
  loop.run(sleep_and_say(1s, log, "a"));
  loop.cancel();
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
  EXPECT_TRUE(loop->members().empty());
  loop.advance(5s);
  EXPECT_EQ(log, "");
}

TEST(Sleep, is_cancelled_by_a_drain_and_not_begun_in_one) {
  TestLoop loop;
  std::string log;
  loop.run(sleep_and_say(1s, log, "a"));
  loop->drain();
  EXPECT_EQ(log, "cancelled ");
  loop.run(sleep_and_say(1s, log, "b"));
  EXPECT_EQ(log, "cancelled cancelled ");
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
}

TEST(Sleep, may_be_for_ever) {
  TestLoop loop;
  std::string log;
  loop.advance(1s);
  loop.run(sleep_and_say(Duration::max(), log, "a"));
  loop.advance(24h * 365);
  EXPECT_EQ(log, "");
  loop.cancel();
}

TEST(Sleep, needs_a_loop) {
  std::string error;
  TaskGroup group;
  group.spawn([](std::string& text) -> Task<> {
    try {
      co_await sleep(1s);
    } catch (const Error& thrown) {
      text = thrown.is(Condition::misuse) ? "misuse" : thrown.what();
    }
  }(error));
  EXPECT_EQ(error, "misuse");
}

// ---- deadline

Task<int> seven_after(Duration duration) {
  if (duration > Duration{}) co_await sleep(duration);
  co_return 7;
}

Task<> fail_after(Duration duration) {
  co_await sleep(duration);
  throw std::runtime_error("failed ");
}

Task<> within(Duration duration, Task<int> task, std::string& log) {
  try {
    const int result = co_await deadline(duration, std::move(task));
    log += std::to_string(result) + " ";
  } catch (const Error& error) {
    log += error.is(Condition::timed_out) ? "late " : error.what();
  }
}

TEST(Deadline, lets_a_task_through_that_is_in_time) {
  TestLoop loop;
  std::string log;
  loop.run(within(2s, seven_after(1s), log));
  loop.advance(1s);
  EXPECT_EQ(log, "7 ");
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
  loop.run(within(2s, seven_after(0s), log));
  EXPECT_EQ(log, "7 7 ");
}

TEST(Deadline, destroys_a_task_that_is_late) {
  TestLoop loop;
  std::string log;
  const auto tasks = detail::live_tasks;
  loop.run(within(1s, seven_after(2s), log));
  EXPECT_EQ(detail::live_tasks, tasks + 2);
  loop.advance(1s);
  EXPECT_EQ(log, "late ");
  EXPECT_EQ(detail::live_tasks, tasks);
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
}

TEST(Deadline, passes_an_exception_on) {
  TestLoop loop;
  std::string log;
  loop.run([](std::string& text) -> Task<> {
    try {
      co_await deadline(2s, fail_after(1s));
    } catch (const std::runtime_error& error) {
      text += error.what();
    }
  }(log));
  loop.advance(1s);
  EXPECT_EQ(log, "failed ");
}

TEST(Deadline, takes_a_task_that_has_nothing_to_do) {
  TestLoop loop;
  bool done = false;
  loop.run([](bool& result) -> Task<> {
    co_await deadline(1s, Task<>{});
    result = true;
  }(done));
  EXPECT_TRUE(done);
}

TEST(Deadline, may_be_destroyed_while_it_waits) {
  TestLoop loop;
  std::string log;
  loop.run(within(2s, seven_after(1s), log));
  loop.cancel();
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
  loop.advance(5s);
  EXPECT_EQ(log, "");
}

TEST(Deadline, may_be_destroyed_by_the_task_that_it_awaits) {
  TestLoop loop;
  std::string log;
  auto group = std::make_unique<TaskGroup>();
  {
    Turn turn{*loop};
    group->spawn(within(
        2s,
        [](std::unique_ptr<TaskGroup>& ended, std::string& text) -> Task<int> {
          co_await sleep(1s);
          ended.reset();
          text += "still running ";
          co_await sleep(1s);
          text += "never ";
          co_return 1;
        }(group, log),
        log));
  }
  loop.advance(5s);
  EXPECT_EQ(log, "still running ");
}

TEST(Deadline, may_stand_inside_another_and_the_earlier_counts) {
  TestLoop loop;
  std::string log;
  loop.run(within(
      3s,
      [](std::string& text) -> Task<int> {
        co_await within(1s, seven_after(5s), text);
        const int result = co_await deadline(10s, seven_after(5s));
        co_return result;
      }(log),
      log));
  loop.advance(1s);
  EXPECT_EQ(log, "late ");
  loop.advance(2s);
  EXPECT_EQ(log, "late late ");
}

TEST(Deadline, may_be_for_ever) {
  TestLoop loop;
  std::string log;
  loop.run(within(Duration::max(), seven_after(24h), log));
  loop.advance(24h);
  EXPECT_EQ(log, "7 ");
}

// ---- offload

/// A loop on the real clock, which runs until a task has ended.
class OffloadTest : public ::testing::Test {
 protected:
  void run(Task<> task) {
    TaskGroup group;
    const auto wait = [](TaskGroup& tasks, Loop& running) -> Task<> {
      co_await tasks.join();
      running.stop();
    };
    TaskGroup waiting;
    {
      Turn turn{*loop};
      group.spawn(std::move(task));
      waiting.spawn(wait(group, *loop));
    }
    loop->run();
    loop->context().restart();
  }
  ~OffloadTest() override {
    loop.reset();
    EXPECT_EQ(detail::live_tasks, tasks_);
  }

  std::int64_t tasks_ = detail::live_tasks;
  std::shared_ptr<MemoryLogger> logger = std::make_shared<MemoryLogger>();
  std::unique_ptr<Loop> loop = std::make_unique<Loop>(LoopOptions{.logger = logger});
};

TEST_F(OffloadTest, gives_the_result_on_the_loops_thread) {
  std::thread::id worked;
  std::thread::id resumed;
  std::string result;
  run([](std::thread::id& there, std::thread::id& here, std::string& text) -> Task<> {
    Offload work{[&there] {
      there = std::this_thread::get_id();
      return std::make_unique<std::string>("result");
    }};
    const auto pointer = co_await work;
    text = *pointer;
    here = std::this_thread::get_id();
  }(worked, resumed, result));
  EXPECT_EQ(result, "result");
  EXPECT_EQ(resumed, std::this_thread::get_id());
  EXPECT_NE(worked, resumed);
}

TEST_F(OffloadTest, takes_work_without_a_result) {
  std::atomic<bool> done = false;
  run([](std::atomic<bool>& flag) -> Task<> {
    Offload work{[&flag] { flag = true; }};
    co_await work;
  }(done));
  EXPECT_TRUE(done);
}

TEST_F(OffloadTest, throws_what_the_work_throws) {
  std::string what;
  run([](std::string& text) -> Task<> {
    Offload work{[]() -> int { throw std::runtime_error("work failed"); }};
    try {
      const int never = co_await work;
      text = std::to_string(never);
    } catch (const std::runtime_error& error) {
      text = error.what();
    }
  }(what));
  EXPECT_EQ(what, "work failed");
}

TEST_F(OffloadTest, does_much_at_once) {
  std::atomic<int> sum = 0;
  int resumed = 0;
  run([](std::atomic<int>& total, int& count) -> Task<> {
    TaskGroup group;
    for (int i = 1; i <= 500; ++i) {
      group.spawn([](std::atomic<int>& inner, int& inner_count, int number) -> Task<> {
        Offload work{[&inner, number] { inner += number; }};
        co_await work;
        ++inner_count;
      }(total, count, i));
    }
    co_await group.join();
  }(sum, resumed));
  EXPECT_EQ(sum, 500 * 501 / 2);
  EXPECT_EQ(resumed, 500);
}

TEST_F(OffloadTest, abandons_the_waiting_and_not_the_work) {
  auto may_end = std::make_shared<std::atomic<bool>>(false);
  auto ended = std::make_shared<std::atomic<bool>>(false);
  bool resumed = false;
  TaskGroup group;
  {
    Turn turn{*loop};
    group.spawn([](std::shared_ptr<std::atomic<bool>> go, std::shared_ptr<std::atomic<bool>> end,
                   bool& result) -> Task<> {
      Offload work{[go, end] {
        while (!*go) std::this_thread::yield();
        *end = true;
      }};
      co_await work;
      result = true;
    }(may_end, ended, resumed));
    group.cancel();
  }
  *may_end = true;
  while (!*ended) std::this_thread::yield();
  run([]() -> Task<> {
    Offload work{[] {}};
    co_await work;
  }());
  EXPECT_FALSE(resumed);
}

TEST_F(OffloadTest, is_cancelled_by_a_drain_and_not_begun_in_one) {
  auto may_end = std::make_shared<std::atomic<bool>>(false);
  std::string log;
  const auto attempt = [](std::shared_ptr<std::atomic<bool>> go, std::string& text) -> Task<> {
    Offload work{[go] {
      while (!*go) std::this_thread::yield();
    }};
    try {
      co_await work;
    } catch (const Cancelled&) {
      text += "cancelled ";
    }
  };
  TaskGroup group;
  {
    Turn turn{*loop};
    group.spawn(attempt(may_end, log));
    loop->drain();
  }
  EXPECT_EQ(log, "cancelled ");
  {
    Turn turn{*loop};
    group.spawn(attempt(may_end, log));
  }
  EXPECT_EQ(log, "cancelled cancelled ");
  *may_end = true;
}

}  // namespace
}  // namespace hotline
