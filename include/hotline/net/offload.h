#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <variant>

#include <hotline/base/error.h>
#include <hotline/base/task.h>
#include <hotline/net/stream.h>
#include <hotline/net/timer.h>

namespace hotline {

namespace detail {
Loop& require_loop();
bool is_draining(Loop& loop) noexcept;
/// `work` on another thread, then `done` on the loop.
void offload(Loop& loop, std::function<void()> work, std::function<void()> done);

/// Shared by the awaiting coroutine and the thread that works: either may go first.
template <typename Function, typename Result>
struct OffloadState {
  using Value = std::conditional_t<std::is_void_v<Result>, std::monostate, Result>;

  explicit OffloadState(Function offloaded) : function(std::move(offloaded)) {}

  void work() noexcept {
    try {
      if constexpr (std::is_void_v<Result>) {
        function();
        value.emplace();
      } else {
        value.emplace(function());
      }
    } catch (...) {
      exception = std::current_exception();
    }
  }

  Function function;
  std::optional<Value> value;
  std::exception_ptr exception;
  Waiter* waiter = nullptr;  // the loop's thread only
};
}  // namespace detail

/// Work that would hold up the loop, done on another thread: make one, then `co_await` it by its
/// name.
///
///     hotline::Offload hashing{[password] { return slow_hash(password); }};
///     const auto hash = co_await hashing;
///
/// `function` runs once, on a thread of the runtime's pool, and must own what it uses: it may
/// outlive the coroutine that waits, since cancelling abandons the waiting and not the work. What
/// it throws is thrown where it is awaited. Throws Cancelled when the server drains.
template <typename Function>
class Offload {
 public:
  using Result = std::invoke_result_t<Function&>;

  explicit Offload(Function function) : state_(std::make_shared<State>(std::move(function))) {}
  Offload(const Offload&) = delete;
  Offload& operator=(const Offload&) = delete;

  class Awaiter;
  Awaiter operator co_await() & { return Awaiter{state_}; }
  // g++ 12 destroys twice a capturing lambda inside a co_await expression.
  void operator co_await() && = delete;

 private:
  using State = detail::OffloadState<Function, Result>;
  std::shared_ptr<State> state_;
};

template <typename Function>
class [[nodiscard("co_await it")]] Offload<Function>::Awaiter final : private Waiter,
                                                                      private detail::Drainable {
 public:
  explicit Awaiter(std::shared_ptr<State> state) : state_(std::move(state)) {}
  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;
  ~Awaiter() { state_->waiter = nullptr; }

  bool await_ready() const noexcept { return false; }
  template <detail::TaskPromise Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    auto& loop = detail::require_loop();
    if (detail::is_draining(loop)) {
      cancelled_ = true;
      return false;
    }
    join(loop);
    resumption_ = detail::Resumption{handle};
    state_->waiter = this;
    detail::offload(
        loop, [state = state_] { state->work(); },
        [state = state_] {
          if (state->waiter) state->waiter->ready();
        });
    return true;
  }
  Result await_resume() {
    if (cancelled_) throw Cancelled();
    if (state_->exception) std::rethrow_exception(state_->exception);
    if constexpr (!std::is_void_v<Result>) return std::move(*state_->value);
  }

 private:
  void ready() noexcept override {
    leave();
    resumption_.resume();
  }
  void drain() noexcept override {
    leave();
    cancelled_ = true;
    state_->waiter = nullptr;
    resumption_.resume();
  }

  std::shared_ptr<State> state_;
  detail::Resumption resumption_;
  bool cancelled_ = false;
};

}  // namespace hotline
