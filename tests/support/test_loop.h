#pragma once

#include <gtest/gtest.h>

#include <hotline/net/task_group.h>
#include <hotline/testing/virtual_loop.h>

#include "net/loop.h"

namespace hotline::testing {

/// A VirtualLoop whose test fails where anything is left of it: tasks, blocks, connections or
/// streams.
class TestLoop : public VirtualLoop {
 public:
  using VirtualLoop::VirtualLoop;
  TestLoop(const TestLoop&) = delete;
  TestLoop& operator=(const TestLoop&) = delete;
  ~TestLoop() {
    for (const auto& left : end(Duration{})) ADD_FAILURE() << left;
  }
};

}  // namespace hotline::testing
