#pragma once

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <vector>

#include <hotline/base/task.h>

namespace hotline::http {

/// A server's end, and those who wait for it: threads, and tasks on other loops. Thread-safe.
class ServerEnd {
 public:
  /// Once; by whoever has seen all connections go.
  void tell() noexcept;
  bool told() const noexcept;

  void wait() const;
  bool wait_for(std::chrono::milliseconds time) const;
  /// Lives on by itself where the server goes.
  static Task<> awaited(std::shared_ptr<ServerEnd> end);

 private:
  class Awaiter;
  struct Link;

  // False: it has been told already.
  bool add(std::shared_ptr<Link> link);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool told_ = false;
  std::vector<std::shared_ptr<Link>> links_;
};

}  // namespace hotline::http
