#pragma once

// Asio operations in a Task; a part of hotline/asio.h.

#include <exception>
#include <memory>
#include <optional>
#include <system_error>
#include <tuple>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_cancellation_slot.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/dispatch.hpp>
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
/// instead; one that begins then is not begun at all. All this hangs on the executor and the
/// cancellation slot of the handler: bind no other ones to the token.
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

}  // namespace detail
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
