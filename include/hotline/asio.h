#pragma once

// The bridge to Boost.Asio, in both directions:
//
//     co_await timer.async_wait(hotline::use_task);                // an Asio operation in a Task
//     hotline::async_start(context, work(), boost::asio::use_future);        // a Task in Asio code
//
// Needs Boost 1.81 or later.

#include <concepts>
#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>

#include <hotline/base/error.h>
#include <hotline/base/task.h>
#include <hotline/net/timer.h>

#if !defined(BOOST_ASIO_SEPARATE_COMPILATION)
#error "hotline compiles Asio separately: use the flags of hotline::hotline, or of pkg-config"
#endif

namespace hotline {

/// The io_context that runs this thread's loop: what timers and sockets are made with.
///
///     boost::asio::steady_timer timer{hotline::this_loop_context(), 1s};
///
/// Throws Error (no_runtime) outside of a Task that runs on a loop.
boost::asio::io_context& this_loop_context();

/// A completion token: the operation is awaited in a Task.
///
///     const auto size = co_await socket.async_read_some(buffer, hotline::use_task);
///
/// Gives what the operation gives behind its error: nothing, a value, or a std::tuple of several.
/// An error (an error_code of Boost or std) is thrown as Error with that code; an exception_ptr is
/// rethrown. `boost::asio::as_tuple(use_task)` and `boost::asio::redirect_error(use_task, code)`
/// throw neither.
///
/// The operation is begun where it is awaited, and what its arguments refer to (buffers, the socket
/// itself) must live until then and until the await has ended. The Task goes on on its own loop,
/// whatever the executor of the operation; what it writes is on the wire when it next waits.
///
/// Destroying the Task that waits asks the operation to end (terminal cancellation); nothing that
/// comes of it later touches the buffers or the socket again, provided that its intermediate steps
/// run by its handler's executor, as those of Asio's own operations do. An operation that knows no
/// cancellation, or works elsewhere, must own its buffers. Timers and sockets are used on one
/// thread: make them with this_loop_context(). When the server drains, the wait throws Cancelled
/// instead; one that begins then is not begun at all.
struct use_task_t {};
inline constexpr use_task_t use_task{};

namespace detail {

class AsioWait;

/// What an operation and who awaits it share: either may go first.
struct AsioLink {
  AsioLink(boost::asio::io_context& loop_context, AsioWait& waiting)
      : context(loop_context), wait(&waiting) {}

  boost::asio::io_context& context;
  AsioWait* wait;  // null: nobody waits any more; the loop's thread only
  boost::asio::cancellation_signal cancel;
};
using AsioLinkPointer = std::shared_ptr<AsioLink>;

/// Runs things on the loop as long as somebody waits; what comes later is destroyed there instead.
/// Asio's composed operations run their steps by their handler's executor, and would touch buffers
/// and streams once more after a cancel.
template <typename Inner>
class AsioExecutor {
 public:
  AsioExecutor(AsioLinkPointer link, Inner inner) noexcept
      : link_(std::move(link)), inner_(std::move(inner)) {}

  template <typename Function>
  void execute(Function&& function) const {
    inner_.execute(Guarded<std::decay_t<Function>>{link_, std::forward<Function>(function)});
  }

  template <typename Property>
    requires boost::asio::can_query<const Inner&, Property>::value
  decltype(auto) query(const Property& property) const {
    return boost::asio::query(inner_, property);
  }
  template <typename Property>
    requires boost::asio::can_require<const Inner&, Property>::value
  auto require(const Property& property) const {
    auto inner = boost::asio::require(inner_, property);
    return AsioExecutor<decltype(inner)>{link_, std::move(inner)};
  }

  friend bool operator==(const AsioExecutor&, const AsioExecutor&) noexcept = default;

 private:
  template <typename Function>
  struct Guarded {
    AsioLinkPointer link;
    Function function;
    void operator()() {
      if (link->wait) std::move(function)();
    }
  };

  AsioLinkPointer link_;
  Inner inner_;
};

/// The part of an awaited operation that does not depend on its types.
class AsioWait : private Drainable {
 public:
  AsioWait(const AsioWait&) = delete;
  AsioWait& operator=(const AsioWait&) = delete;

 protected:
  AsioWait() = default;
  ~AsioWait() { let_go(); }

  /// Null: the loop drains, and nothing is to be begun. Throws Error (no_runtime).
  AsioLinkPointer begin();
  /// The operation has been begun. False: it has ended already, or will not be waited for.
  bool suspend(Resumption resumption) noexcept;
  /// The operation's handler was called: resumes the task, unless that is still to suspend. `this`
  /// may be gone afterwards.
  void completed() noexcept;
  void throw_if_cancelled() const {
    if (cancelled_) throw Cancelled();
  }

 private:
  void drain() noexcept override;
  void abandon() noexcept override;
  void let_go() noexcept;

  Loop* loop_ = nullptr;
  AsioLinkPointer link_;
  Resumption resumption_;
  bool cancelled_ = false;
};

[[noreturn]] void throw_asio_error(std::error_code code);
inline void throw_if_failed(std::error_code code) {
  if (code) throw_asio_error(code);
}
inline void throw_if_failed(const std::exception_ptr& exception) {
  if (exception) std::rethrow_exception(exception);
}

template <typename T>
concept AsioFailure = std::same_as<T, boost::system::error_code> ||
                      std::same_as<T, std::error_code> || std::same_as<T, std::exception_ptr>;

/// Where the arguments of a completion are kept, and what is made of them.
template <typename... Args>
struct AsioOutcome {
  std::optional<std::tuple<Args...>> arguments;
  boost::system::error_code* redirected = nullptr;

  auto take() {
    if constexpr (sizeof...(Args) == 1) {
      return std::get<0>(std::move(*arguments));
    } else if constexpr (sizeof...(Args) > 1) {
      return std::move(*arguments);
    }
  }
};

template <AsioFailure Failure, typename... Args>
struct AsioOutcome<Failure, Args...> {
  std::optional<std::tuple<Failure, Args...>> arguments;
  boost::system::error_code* redirected = nullptr;

  auto take() {
    return std::apply(
        [&](Failure& failure, Args&... values) {
          if constexpr (std::same_as<Failure, boost::system::error_code>) {
            if (redirected) *redirected = std::exchange(failure, {});
          }
          throw_if_failed(failure);
          if constexpr (sizeof...(Args) == 1) {
            return (std::move(values), ...);
          } else if constexpr (sizeof...(Args) > 1) {
            return std::tuple<Args...>{std::move(values)...};
          }
        },
        *arguments);
  }
};

template <typename... Args>
class AsioHandler;

template <typename... Args>
class AsioAwaiter : public AsioWait {
 public:
  bool await_ready() const noexcept { return false; }
  auto await_resume() {
    throw_if_cancelled();
    return outcome_.take();
  }

 protected:
  explicit AsioAwaiter(boost::system::error_code* redirected) noexcept {
    outcome_.redirected = redirected;
  }

 private:
  friend class AsioHandler<Args...>;
  void complete(Args... arguments) {
    outcome_.arguments.emplace(std::move(arguments)...);
    completed();
  }

  AsioOutcome<Args...> outcome_;
};

/// The operation's completion handler.
template <typename... Args>
class AsioHandler {
 public:
  using executor_type = AsioExecutor<boost::asio::io_context::executor_type>;
  using cancellation_slot_type = boost::asio::cancellation_slot;

  explicit AsioHandler(AsioLinkPointer link) noexcept : link_(std::move(link)) {}

  executor_type get_executor() const noexcept { return {link_, link_->context.get_executor()}; }
  cancellation_slot_type get_cancellation_slot() const noexcept { return link_->cancel.slot(); }

  void operator()(Args... arguments) {
    // Called elsewhere only by operations that disregard their handler's executor.
    if (!link_->context.get_executor().running_in_this_thread()) {
      boost::asio::post(
          link_->context,
          [link = link_, kept = std::tuple<Args...>{std::move(arguments)...}]() mutable {
            std::apply([&](Args&... values) { complete(*link, std::move(values)...); }, kept);
          });
      return;
    }
    complete(*link_, std::move(arguments)...);
  }

 private:
  static void complete(AsioLink& link, Args... arguments) {
    if (!link.wait) return;
    static_cast<AsioAwaiter<Args...>&>(*link.wait).complete(std::move(arguments)...);
  }

  AsioLinkPointer link_;
};

/// What an initiating function returns for use_task: an operation that begins when it is awaited.
template <typename Initiation, typename Arguments, typename... Args>
class [[nodiscard("co_await it")]] AsioOperation final : public AsioAwaiter<Args...> {
 public:
  template <typename I, typename... A>
  AsioOperation(boost::system::error_code* redirected, I&& initiation, A&&... arguments)
      : AsioAwaiter<Args...>(redirected),
        initiation_(std::forward<I>(initiation)),
        arguments_(std::forward<A>(arguments)...) {}

  template <TaskPromise Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    auto link = this->begin();
    if (!link) return false;
    std::apply(
        [&](auto&... arguments) {
          std::move(initiation_)(AsioHandler<Args...>{std::move(link)}, std::move(arguments)...);
        },
        arguments_);
    return this->suspend(Resumption{handle});
  }

 private:
  Initiation initiation_;
  Arguments arguments_;
};

template <typename... Args>
struct AsioResult {
  template <typename Initiation, typename... InitArgs>
  static auto initiate(Initiation&& initiation, use_task_t, InitArgs&&... arguments) {
    return AsioOperation<std::decay_t<Initiation>, std::tuple<std::decay_t<InitArgs>...>,
                         std::decay_t<Args>...>{nullptr, std::forward<Initiation>(initiation),
                                                std::forward<InitArgs>(arguments)...};
  }
};

/// Boost 1.81's redirect_error does not go with a token whose operations have many types.
template <typename... Args>
struct AsioRedirectedResult {
  template <typename Initiation, typename... InitArgs>
  static auto initiate(Initiation&& initiation, boost::asio::redirect_error_t<use_task_t> token,
                       InitArgs&&... arguments) {
    return AsioOperation<std::decay_t<Initiation>, std::tuple<std::decay_t<InitArgs>...>,
                         boost::system::error_code, std::decay_t<Args>...>{
        &token.ec_, std::forward<Initiation>(initiation), std::forward<InitArgs>(arguments)...};
  }
};

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

namespace boost::asio {

template <typename R, typename... Args>
struct async_result<hotline::use_task_t, R(Args...)> : hotline::detail::AsioResult<Args...> {};
template <typename R, typename... Args>
struct async_result<hotline::use_task_t, R(Args...)&> : hotline::detail::AsioResult<Args...> {};
template <typename R, typename... Args>
struct async_result<hotline::use_task_t, R(Args...) &&> : hotline::detail::AsioResult<Args...> {};

template <typename R, typename... Args>
struct async_result<redirect_error_t<hotline::use_task_t>, R(system::error_code, Args...)>
    : hotline::detail::AsioRedirectedResult<Args...> {};

}  // namespace boost::asio
