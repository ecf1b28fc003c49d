#pragma once

#include <hotline/base/error.h>
#include <hotline/base/task.h>
#include <hotline/net/timer.h>

namespace hotline {

namespace detail {
Loop& require_loop();
/// `duration` from now on the loop's clock; TimePoint::max() where that cannot be counted.
TimePoint deadline_after(Loop& loop, Duration duration) noexcept;
}  // namespace detail

/// What deadline() returns: `co_await` it.
template <typename T>
class [[nodiscard("co_await it")]] Deadline final : private detail::ChainOwner,
                                                    private detail::Timer {
 public:
  Deadline(Duration duration, Task<T> task) noexcept
      : duration_(duration), task_(std::move(task)) {}

  bool await_ready() const noexcept { return task_.empty(); }
  template <detail::TaskPromise Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    auto& loop = detail::require_loop();
    set(loop, detail::deadline_after(loop, duration_));
    chain_.start(std::move(task_), *this);
    if (finished_) return false;
    resumption_ = detail::Resumption{handle};
    return true;
  }
  T await_resume() {
    if (timed_out_) throw Error(Fault::deadline_passed);
    if constexpr (std::is_void_v<T>) {
      if (!chain_) return;
    }
    return chain_.template result<T>();
  }

 private:
  void chain_finished() noexcept override {
    finished_ = true;
    cancel();
    if (resumption_) resumption_.resume();
  }
  void expired() noexcept override {
    timed_out_ = true;
    chain_.reset();
    resumption_.resume();
  }

  Duration duration_;
  Task<T> task_;
  detail::Chain chain_;
  detail::Resumption resumption_;
  bool finished_ = false;
  bool timed_out_ = false;
};

/// Awaits `task`, but at most for `duration` on this loop's clock: then it is destroyed, which
/// cancels what it waits for, and Error (deadline_passed) is thrown. A read that is cut off by this
/// consumes nothing, and the connection stays usable.
template <typename T>
Deadline<T> deadline(Duration duration, Task<T> task) noexcept {
  return Deadline<T>{duration, std::move(task)};
}

}  // namespace hotline
