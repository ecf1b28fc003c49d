#pragma once

#include <hotline/base/task.h>
#include <hotline/net/timer.h>

namespace hotline {

/// What sleep() returns: `co_await` it.
class [[nodiscard("co_await it")]] Sleep final : private detail::Timer, private detail::Drainable {
 public:
  explicit Sleep(Duration duration) noexcept : duration_(duration) {}

  bool await_ready() const noexcept { return false; }
  template <detail::TaskPromise Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    resumption_ = detail::Resumption{handle};
    return begin();
  }
  void await_resume() const;

 private:
  bool begin();
  void expired() noexcept override;
  void drain() noexcept override;

  Duration duration_;
  bool cancelled_ = false;
  detail::Resumption resumption_;
};

/// Lets at least `duration` pass on this loop's clock. Throws Cancelled when the server drains,
/// Error (no_runtime) off a loop's thread.
inline Sleep sleep(Duration duration) noexcept { return Sleep{duration}; }

}  // namespace hotline
