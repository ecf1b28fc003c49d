#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>

#include <gtest/gtest.h>

#include <hotline/net/memory_stream.h>
#include <hotline/net/task_group.h>
#include <hotline/testing/virtual_loop.h>

#include "net/loop.h"

namespace hotline::testing {

/// A loop that ends before what is on it does, in virtual time. In the end nothing must be left.
struct EndedLoop {
  EndedLoop() {
    loop.emplace(LoopOptions{.logger = std::make_shared<MemoryLogger>(), .clock = &clock});
  }
  EndedLoop(const EndedLoop&) = delete;
  EndedLoop& operator=(const EndedLoop&) = delete;
  ~EndedLoop() {
    peer.reset();
    group.cancel();
    loop.reset();
    EXPECT_EQ(live_memory_streams(), streams);
    EXPECT_EQ(hotline::detail::live_tasks, tasks);
  }

  /// One end of a pair; the other one is the peer.
  StreamPointer stream(const MemoryStreamOptions& options = {}) {
    auto pair = make_memory_streams(*loop, options);
    peer = std::move(pair.second);
    return std::move(pair.first);
  }
  void spawn(Task<> task) {
    Turn turn{*loop};
    group.spawn(std::move(task));
  }
  /// As a server does that stops: its handlers have gone before.
  void abandon() {
    loop->abandon_members();
    EXPECT_EQ(loop->connections(), 0u);
    EXPECT_EQ(loop->blocks().taken(), 0u);
    EXPECT_EQ(loop->next_deadline(), std::nullopt);
  }
  /// Ends the loop under what is there, the tasks included.
  void end() {
    peer.reset();
    loop.reset();
    EXPECT_EQ(live_memory_streams(), streams);
  }

  std::int64_t streams = live_memory_streams();
  std::int64_t tasks = hotline::detail::live_tasks;
  VirtualClock clock;
  std::optional<Loop> loop;
  StreamPointer peer;
  TaskGroup group;
};

}  // namespace hotline::testing
