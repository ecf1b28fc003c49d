#pragma once

#include <cstddef>
#include <exception>

#include <hotline/base/task.h>
#include <hotline/net/timer.h>

namespace hotline {

/// Tasks that run beside the one that owns the group, and end before it: leaving the scope cancels
/// those still under way. So what stands before the group in a scope may be referred to by its
/// tasks.
///
///     hotline::TaskGroup group;
///     group.spawn(push_prices(connection));
///     while (auto message = co_await connection.read()) { ... }
///
/// For one loop's thread.
class TaskGroup {
 public:
  TaskGroup() = default;
  TaskGroup(const TaskGroup&) = delete;
  TaskGroup& operator=(const TaskGroup&) = delete;
  /// Cancels what is left. A failure that nobody has joined is logged.
  ~TaskGroup();

  /// Starts `task` at once; it runs here until it first suspends.
  void spawn(Task<> task);
  /// Destroys the tasks under way; one that is running just now at its next suspension. Whoever
  /// joins is told, by the loop.
  void cancel() noexcept;
  /// Tasks that have not ended.
  std::size_t size() const noexcept { return size_; }

  class Join;
  /// Waits until all have ended; then throws what the first that failed has thrown (Cancelled is no
  /// failure). For one waiter at a time.
  Join join() & noexcept;
  Join join() && = delete;

 private:
  class Member;

  void ended(Member& member) noexcept;

  Member* first_ = nullptr;
  std::size_t size_ = 0;
  std::exception_ptr failure_;
  Join* joining_ = nullptr;
  bool* gone_ = nullptr;  // set in a caller's frame when this is destroyed under it
};

class [[nodiscard("co_await it")]] TaskGroup::Join final : private detail::Timer {
 public:
  Join(const Join&) = delete;
  Join& operator=(const Join&) = delete;
  ~Join() { group_.joining_ = nullptr; }

  bool await_ready() const noexcept { return group_.size_ == 0; }
  template <detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = detail::Resumption{handle};
    group_.joining_ = this;
  }
  void await_resume() {
    if (group_.failure_) std::rethrow_exception(std::exchange(group_.failure_, nullptr));
  }

 private:
  friend class TaskGroup;
  explicit Join(TaskGroup& group) noexcept : group_(group) {}

  void expired() noexcept override { resumption_.resume(); }

  TaskGroup& group_;
  detail::Resumption resumption_;
};

inline TaskGroup::Join TaskGroup::join() & noexcept { return Join{*this}; }

}  // namespace hotline
