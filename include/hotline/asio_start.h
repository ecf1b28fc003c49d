#pragma once

// Tasks started from Asio code; a part of hotline/asio.h.

#include <concepts>
#include <exception>
#include <memory>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>

#include <hotline/base/error.h>
#include <hotline/base/task.h>
#include <hotline/net/timer.h>

#if !defined(BOOST_ASIO_SEPARATE_COMPILATION)
#error "hotline compiles Asio separately: use the flags of hotline::hotline, or of pkg-config"
#endif

namespace hotline {
namespace detail {

/// The io_context behind an executor. Throws Error (no_runtime) where it is another context.
boost::asio::io_context& context_of(const boost::asio::any_io_executor& executor);

/// A task that Asio code has started. Kept by its loop until it ends; shared because a cancellation
/// may come at any time.
class StartedTask : public std::enable_shared_from_this<StartedTask>, protected ChainOwner {
 public:
  explicit StartedTask(boost::asio::io_context& context);
  StartedTask(const StartedTask&) = delete;
  StartedTask& operator=(const StartedTask&) = delete;
  virtual ~StartedTask() = default;

  /// Begins it on the loop, later. From any thread.
  void launch();
  /// Destroys it and completes with Cancelled. From any thread.
  void cancel();
  /// Destroys it; nobody hears of it.
  void drop() noexcept;

 protected:
  boost::asio::io_context& context() const noexcept { return context_; }
  void chain_finished() noexcept override;
  void take_exception(std::exception_ptr exception) noexcept { exception_ = std::move(exception); }
  const std::exception_ptr& exception() const noexcept { return exception_; }

 private:
  virtual void start(Chain& chain) noexcept = 0;
  virtual void keep_result(Chain& chain) noexcept = 0;
  /// Calls the completion handler by its executor, not from inside this.
  virtual void complete() noexcept = 0;

  void begin();
  void end() noexcept;

  boost::asio::io_context& context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_;
  Loop* loop_ = nullptr;
  bool ended_ = false;
  bool failed_ = false;
  Chain chain_;
  std::exception_ptr exception_;
};

template <typename T>
struct StartedSignature {
  static_assert(std::default_initializable<T>, "it is what the handler is given with an exception");
  using Type = void(std::exception_ptr, T);
};
template <>
struct StartedSignature<void> {
  using Type = void(std::exception_ptr);
};

template <typename T, typename Handler>
class StartedTaskOf final : public StartedTask {
 public:
  StartedTaskOf(boost::asio::io_context& context, Task<T> task, Handler handler)
      : StartedTask(context),
        task_(std::move(task)),
        handler_(std::move(handler)),
        handler_work_(boost::asio::get_associated_executor(handler_, context.get_executor())) {}

 private:
  using LoopExecutor = boost::asio::io_context::executor_type;
  using Value = std::conditional_t<std::is_void_v<T>, std::tuple<>, T>;

  void start(Chain& chain) noexcept override {
    // An empty task has nothing to do.
    if (!task_.empty()) return chain.start(std::move(task_), *this);
    if constexpr (!std::is_void_v<T>) {
      take_exception(std::make_exception_ptr(Error(Fault::bad_option, "the Task is empty")));
    }
    this->chain_finished();
  }
  void keep_result(Chain& chain) noexcept override {
    if (!chain) return;
    try {
      if constexpr (std::is_void_v<T>) {
        chain.result<T>();
      } else {
        value_ = chain.result<T>();
      }
    } catch (...) {
      take_exception(std::current_exception());
    }
  }
  void complete() noexcept override {
    auto call = [handler = std::move(handler_), arguments = take_arguments()]() mutable {
      std::apply(std::move(handler), std::move(arguments));
    };
    boost::asio::post(handler_work_.get_executor(), std::move(call));
    handler_work_.reset();
  }

  auto take_arguments() {
    if constexpr (std::is_void_v<T>) {
      return std::tuple{exception()};
    } else {
      return std::tuple<std::exception_ptr, T>{exception(), std::move(value_)};
    }
  }

  Task<T> task_;
  Handler handler_;
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler, LoopExecutor>>
      handler_work_;
  Value value_{};
};

struct StartTask {
  template <typename Handler, typename T>
  void operator()(Handler&& handler, boost::asio::io_context* context, Task<T> task) const {
    auto slot = boost::asio::get_associated_cancellation_slot(handler);
    auto started = std::make_shared<StartedTaskOf<T, std::decay_t<Handler>>>(
        *context, std::move(task), std::forward<Handler>(handler));
    if (slot.is_connected()) {
      slot.assign(
          [weak = std::weak_ptr<StartedTask>{started}](boost::asio::cancellation_type type) {
            if (type == boost::asio::cancellation_type::none) return;
            if (auto alive = weak.lock()) alive->cancel();
          });
    }
    started->launch();
  }
};

}  // namespace detail

/// Starts `task` from Asio code, with any completion token (a callback, use_future, use_awaitable,
/// deferred): its completion signature is void(std::exception_ptr) for Task<>, and
/// void(std::exception_ptr, T) for a Task<T>, whose T is default-constructible.
///
///     const int sum = co_await hotline::async_start(executor, add(1, 2),
///     boost::asio::use_awaitable);
///
/// May be called from any thread. The task runs on the thread that runs `context`, which must be
/// one: in the Loop of a server whose context it is (this_loop_context()), else in a loop made for
/// it, with the steady clock and the default logger. It begins when that thread comes to it, never
/// inside this call; the handler is called by its associated executor, `context`'s by default,
/// never from inside the task. Meanwhile the context has work.
///
/// Cancelling, of any type and by the handler's cancellation slot, destroys the task, at its next
/// suspension if it runs just now; the handler gets Cancelled. Destroying the context destroys the
/// task and the handler.
template <typename T, typename Token>
auto async_start(boost::asio::io_context& context, Task<T> task, Token&& token) {
  return boost::asio::async_initiate<Token, typename detail::StartedSignature<T>::Type>(
      detail::StartTask{}, token, &context, std::move(task));
}

/// The same for an executor of an io_context; throws Error (no_runtime) for that of another
/// context, as of a thread pool.
template <typename T, typename Token>
auto async_start(const boost::asio::any_io_executor& executor, Task<T> task, Token&& token) {
  return async_start(detail::context_of(executor), std::move(task), std::forward<Token>(token));
}

}  // namespace hotline
