#pragma once

#include <memory>
#include <vector>

#include "net/loop.h"

namespace hotline {

/// The loops of one runtime, a thread each; the first runs on the thread that calls run().
class LoopGroup {
 public:
  LoopGroup(unsigned size, const LoopOptions& options);
  LoopGroup(const LoopGroup&) = delete;
  LoopGroup& operator=(const LoopGroup&) = delete;

  std::size_t size() const noexcept { return loops_.size(); }
  Loop& operator[](std::size_t index) noexcept { return *loops_[index]; }
  auto begin() noexcept { return loops_.begin(); }
  auto end() noexcept { return loops_.end(); }

  /// Runs all loops until stop(); the other threads have ended when this returns. SIGINT and
  /// SIGTERM stay with the calling thread. What a callback throws ends all loops, and is thrown
  /// here. May be called again.
  void run();
  /// From any thread.
  void stop() noexcept;

 private:
  std::vector<std::unique_ptr<Loop>> loops_;
};

/// Raises this process's soft limit of descriptors to the hard one. Returns what it is now.
std::size_t raise_descriptor_limit() noexcept;

}  // namespace hotline
