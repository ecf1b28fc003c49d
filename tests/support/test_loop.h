#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/base/task.h>
#include <hotline/net/memory_stream.h>
#include <hotline/net/task_group.h>

#include "net/loop.h"

namespace hotline::testing {

/// Keeps what is logged.
class MemoryLogger final : public Logger {
 public:
  bool enabled(LogLevel) const noexcept override { return true; }
  void write(LogLevel level, std::string_view line) noexcept override {
    lines.emplace_back(line);
    if (level == LogLevel::error) ++errors;
  }
  std::vector<std::string> lines;
  int errors = 0;
};

/// A loop in virtual time. What a test leaves behind when it ends, tasks, blocks, connections or
/// streams, is a failure.
class TestLoop {
 public:
  TestLoop() = default;
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;
  ~TestLoop() {
    settle();
    EXPECT_EQ(group_.size(), 0u) << "tasks are still waiting";
    group_.cancel();
    settle();
    EXPECT_EQ(detail::live_tasks, tasks_before_) << "tasks were leaked";
    EXPECT_EQ(loop_.blocks().taken(), 0u) << "blocks were leaked";
    EXPECT_EQ(loop_.connections(), 0u) << "connections are still open";
    EXPECT_EQ(loop_.cork().backlog(), 0u) << "the sum of backlogs is wrong";
    EXPECT_EQ(live_memory_streams(), streams_before_) << "streams were leaked";
  }

  Loop& operator*() noexcept { return loop_; }
  Loop* operator->() noexcept { return &loop_; }
  MemoryLogger& log() noexcept { return *logger_; }

  /// Starts a task, and lets everything happen that can without time passing.
  void run(Task<> task) {
    {
      Turn turn{loop_};
      group_.spawn(std::move(task));
    }
    settle();
  }
  void settle() { loop_.run_ready(); }
  /// Lets time pass, deadline by deadline.
  void advance(Duration duration) {
    const auto end = clock_.now() + duration;
    settle();
    for (auto next = loop_.next_deadline(); next && *next <= end; next = loop_.next_deadline()) {
      if (*next > clock_.now()) clock_.advance(*next - clock_.now());
      loop_.run_timers();
      settle();
    }
    clock_.advance(end - clock_.now());
  }
  /// Lets time pass, and timers expire before anything that is ready is looked at.
  void ring(Duration duration) {
    clock_.advance(duration);
    loop_.run_timers();
  }
  TimePoint now() const noexcept { return clock_.now(); }
  /// Destroys the tasks that run() has started and that have not ended.
  void cancel() {
    Turn turn{loop_};
    group_.cancel();
  }
  std::size_t waiting() const noexcept { return group_.size(); }

 private:
  std::int64_t tasks_before_ = detail::live_tasks;
  std::int64_t streams_before_ = live_memory_streams();
  VirtualClock clock_;
  SeededEntropy entropy_{1};
  std::shared_ptr<MemoryLogger> logger_ = std::make_shared<MemoryLogger>();
  Loop loop_{LoopOptions{.logger = logger_, .clock = &clock_, .entropy = &entropy_}};
  TaskGroup group_;
};

}  // namespace hotline::testing
