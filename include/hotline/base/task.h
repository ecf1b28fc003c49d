#pragma once

#include <coroutine>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace hotline {

template <typename T = void>
class Task;

namespace detail {

class PromiseBase;

/// Told when the task that it started has ended; it then destroys the chain (Chain::reset).
class ChainOwner {
 public:
  virtual void chain_finished() noexcept = 0;

 protected:
  ~ChainOwner() = default;
};

/// Live Task frames of this thread (created minus destroyed): tests end at the number they began
/// with.
inline constinit thread_local std::int64_t live_tasks = 0;

// A chain is a root task and, below it, the tasks awaited one by another down to the one that runs
// or waits. Only roots have an owner that can destroy them from outside; children belong to the
// awaiting frame. So "is it running?" is a question for the root, and a root that is destroyed
// while its chain runs is marked, and dies at the next suspension.
class PromiseBase {
 public:
  PromiseBase() noexcept { ++live_tasks; }
  PromiseBase(const PromiseBase&) = delete;
  PromiseBase& operator=(const PromiseBase&) = delete;
  ~PromiseBase() { --live_tasks; }

  struct FinalAwaiter {
    bool await_ready() const noexcept { return false; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> handle) const noexcept {
      handle.promise().finish();
    }
    void await_resume() const noexcept {}
  };

  std::suspend_always initial_suspend() const noexcept { return {}; }
  FinalAwaiter final_suspend() const noexcept { return {}; }
  void unhandled_exception() noexcept { exception_ = std::current_exception(); }

  PromiseBase& root() const noexcept { return *root_; }
  bool finished() const noexcept { return finished_; }
  const std::exception_ptr& exception() const noexcept { return exception_; }

  // Starts the task below `parent`. True: it has suspended, and resumes the parent when it ends.
  // Neither symmetric transfer (g++ 12 makes it a tail call only at -O2) nor a resumption of the
  // parent from here bounds the stack: a child that ends at once lets the parent simply go on.
  bool start_below(std::coroutine_handle<> self, std::coroutine_handle<> parent,
                   PromiseBase& root) noexcept {
    root_ = &root;
    continuation_ = parent;
    starting_ = true;
    self.resume();
    starting_ = false;
    return !finished_;
  }

  void start_root(std::coroutine_handle<> self, ChainOwner& owner) noexcept {
    root_ = this;
    continuation_ = self;
    owner_ = &owner;
    run(self);
  }

  // For roots: resumes a coroutine of this chain, then looks what has become of it. `this` may be
  // gone afterwards.
  void run(std::coroutine_handle<> leaf) noexcept {
    running_ = true;
    leaf.resume();
    running_ = false;
    if (doomed_) {
      continuation_.destroy();
    } else if (finished_) {
      owner_->chain_finished();
    }
  }

  void abandon() noexcept {
    if (running_) {
      doomed_ = true;
    } else {
      continuation_.destroy();
    }
  }

  void finish() noexcept {
    finished_ = true;
    if (root_ != this && !starting_) continuation_.resume();
  }

 protected:
  void rethrow() const {
    if (exception_) std::rethrow_exception(exception_);
  }

 private:
  PromiseBase* root_ = nullptr;
  std::coroutine_handle<> continuation_;  // of a child: who awaits it; of a root: itself
  ChainOwner* owner_ = nullptr;
  std::exception_ptr exception_;
  bool starting_ = false;
  bool finished_ = false;
  bool running_ = false;
  bool doomed_ = false;
};

template <typename T>
class Promise final : public PromiseBase {
 public:
  Task<T> get_return_object();
  template <typename U = T>
    requires std::is_constructible_v<T, U&&>
  void return_value(U&& value) {
    value_.emplace(std::forward<U>(value));
  }
  T result() {
    rethrow();
    return std::move(*value_);
  }

 private:
  std::optional<T> value_;
};

template <>
class Promise<void> final : public PromiseBase {
 public:
  Task<void> get_return_object();
  void return_void() const noexcept {}
  void result() const { rethrow(); }
};

template <typename P>
concept TaskPromise = std::is_base_of_v<PromiseBase, P>;

/// A suspended coroutine of a chain: what an awaiter keeps to wake it.
class Resumption {
 public:
  Resumption() = default;
  template <TaskPromise P>
  explicit Resumption(std::coroutine_handle<P> handle) noexcept
      : handle_(handle), root_(&handle.promise().root()) {}

  explicit operator bool() const noexcept { return handle_ != nullptr; }
  /// Empties this, then runs the coroutine until it next suspends. `this` may be gone afterwards.
  void resume() noexcept {
    auto& root = *root_;
    root.run(std::exchange(handle_, nullptr));
  }
  void forget() noexcept { handle_ = nullptr; }

 private:
  std::coroutine_handle<> handle_;
  PromiseBase* root_;  // where there is a handle
};

template <typename T>
class [[nodiscard]] TaskAwaiter {
 public:
  using Handle = std::coroutine_handle<Promise<T>>;

  explicit TaskAwaiter(Handle handle) noexcept : handle_(handle) {}
  TaskAwaiter(const TaskAwaiter&) = delete;
  TaskAwaiter& operator=(const TaskAwaiter&) = delete;
  ~TaskAwaiter() {
    if (handle_) handle_.destroy();
  }

  bool await_ready() const noexcept { return !handle_; }
  template <typename P>
  bool await_suspend(std::coroutine_handle<P> parent) noexcept {
    static_assert(TaskPromise<P>, "await a Task in a Task; elsewhere start it (hotline/asio.h)");
    return handle_.promise().start_below(handle_, parent, parent.promise().root());
  }
  T await_resume() {
    if constexpr (std::is_void_v<T>) {
      if (!handle_) return;
    }
    return handle_.promise().result();
  }

 private:
  Handle handle_;
};

/// Owns a started root task. Destroying it destroys the task and all that it awaits, at once or, if
/// the chain runs just now, at its next suspension.
class Chain {
 public:
  Chain() = default;
  Chain(const Chain&) = delete;
  Chain& operator=(const Chain&) = delete;
  ~Chain() { reset(); }

  /// Runs the task until it first suspends; `owner.chain_finished()` may be called before this
  /// returns.
  template <typename T>
  void start(Task<T> task, ChainOwner& owner) noexcept;

  void reset() noexcept {
    if (auto* root = std::exchange(root_, nullptr)) root->abandon();
  }
  explicit operator bool() const noexcept { return root_ != nullptr; }
  const std::exception_ptr& exception() const noexcept { return root_->exception(); }
  /// The result of a chain that has finished; rethrows what the task threw.
  template <typename T>
  T result() {
    return static_cast<Promise<T>*>(root_)->result();
  }

 private:
  PromiseBase* root_ = nullptr;
};

}  // namespace detail

/// A coroutine that is started when it is awaited (lazy) and destroyed with its owner (dropping
/// cancels).
///
/// It runs on the thread that awaits it, starts inline, and costs no suspension where it ends at
/// once. Await it once, as an rvalue: `co_await work()`. What it throws is thrown where it is
/// awaited. An empty `Task<>` (default-constructed or moved from) is one that has nothing to do.
///
/// Destroying a Task that was not started runs nothing of it. Destroying the frame that awaits a
/// Task destroys the Task, and with it whatever it waits for. Not thread-safe.
template <typename T>
class [[nodiscard("a Task does nothing until it is awaited or spawned")]] Task {
  static_assert(!std::is_reference_v<T>, "return a pointer or a value");

 public:
  using promise_type = detail::Promise<T>;
  using Result = T;

  Task() = default;
  Task(Task&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
  Task& operator=(Task&& other) noexcept {
    if (this != &other) {
      if (handle_) handle_.destroy();
      handle_ = std::exchange(other.handle_, nullptr);
    }
    return *this;
  }
  ~Task() {
    if (handle_) handle_.destroy();
  }

  bool empty() const noexcept { return !handle_; }

  auto operator co_await() && noexcept {
    return detail::TaskAwaiter<T>{std::exchange(handle_, nullptr)};
  }
  auto operator co_await() & = delete;

 private:
  friend class detail::Promise<T>;
  friend class detail::Chain;
  explicit Task(std::coroutine_handle<promise_type> handle) noexcept : handle_(handle) {}

  std::coroutine_handle<promise_type> handle_;
};

namespace detail {

// g++ 12 lays out the frame of a coroutine wrongly that has `if (co_await …)` or `while (co_await
// …)` and no local variable at all: a hidden variable comes first, and every handle points beside
// the frame. Such a coroutine cannot run; it says so instead of running wild.
template <typename Promise>
std::coroutine_handle<Promise> checked_handle(Promise& promise) {
  const auto handle = std::coroutine_handle<Promise>::from_promise(promise);
#if defined(__GNUC__) && !defined(__clang__)
  if (reinterpret_cast<std::uintptr_t>(handle.address()) % __STDCPP_DEFAULT_NEW_ALIGNMENT__ != 0) {
    throw std::logic_error(
        "g++ miscompiled a coroutine: put the result of the co_await in its if or while condition "
        "into a variable");
  }
#endif
  return handle;
}

template <typename T>
Task<T> Promise<T>::get_return_object() {
  return Task<T>{checked_handle(*this)};
}

inline Task<void> Promise<void>::get_return_object() { return Task<void>{checked_handle(*this)}; }

template <typename T>
void Chain::start(Task<T> task, ChainOwner& owner) noexcept {
  const auto handle = std::exchange(task.handle_, nullptr);
  root_ = &handle.promise();
  root_->start_root(handle, owner);
}

}  // namespace detail
}  // namespace hotline
