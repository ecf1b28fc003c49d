#pragma once

#include <string_view>
#include <utility>

#include <hotline/base/task.h>
#include <hotline/http/exchange_core.h>

namespace hotline::http {

/// Awaits room in the backlog behind an answer, or its end.
class [[nodiscard("co_await it")]] Answering final : private Waiter {
 public:
  Answering(const Answering&) = delete;
  Answering& operator=(const Answering&) = delete;
  ~Answering() {
    if (waiting_) core_.cancel_wait(*this);
  }

  bool await_ready() const noexcept { return !waiting_; }
  template <hotline::detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = hotline::detail::Resumption{handle};
  }
  void await_resume() const noexcept {}

 private:
  friend class Exchange;
  friend class ResponseStream;
  /// `send(waiter)`: whether there is something to wait for.
  template <typename Send>
  Answering(detail::ExchangeCore& core, const Send& send) : core_(core), waiting_(send(*this)) {}
  void ready() noexcept override {
    waiting_ = false;
    if (resumption_) resumption_.resume();
  }

  detail::ExchangeCore& core_;
  hotline::detail::Resumption resumption_;
  bool waiting_;
};

/// The body of an answer that was begun by Exchange::start(), to be written piece by piece.
///
/// Destroyed before its end, it cuts the connection, so that the client sees that something is
/// missing. In the answer to HEAD nothing is sent of what is written. Movable; used on its loop's
/// thread; what several coroutines write goes out in the order of the calls.
class [[nodiscard]] ResponseStream {
 public:
  class Writing;

  /// From Exchange::start().
  explicit ResponseStream(detail::ExchangeCore& core) noexcept : core_(core) {}
  ResponseStream(ResponseStream&&) noexcept = default;
  ResponseStream& operator=(ResponseStream&& other) noexcept {
    if (this != &other) {
      cut();
      core_ = std::move(other.core_);
      ended_ = other.ended_;
    }
    return *this;
  }
  ~ResponseStream() { cut(); }

  /// Takes all of `bytes` by the call itself; awaiting it suspends only while the client is slow.
  /// They stay valid until then; dropping the awaiter copies what is not sent yet. They go out at
  /// the latest when control returns to the loop.
  ///
  /// Throws Error: wrong_length where there would be more bytes than Response::content_length()
  /// announced, or any with a status that has no body (nothing of them is sent); connection_ended.
  Writing write(std::string_view bytes) &;
  Writing write(std::string_view) && = delete;

  /// The body is whole: sends the end, by the call itself; awaiting it suspends only while the
  /// client is slow. The next request of the connection is looked at. Throws Error (wrong_length)
  /// where fewer bytes were written than announced; the connection is cut.
  Answering end() &;
  Answering end() && = delete;

 private:
  void cut() noexcept {
    if (core_ && !ended_) core_->cut();
    core_ = {};
  }

  detail::CoreHandle core_;
  bool ended_ = false;
};

class [[nodiscard("co_await it")]] ResponseStream::Writing final
    : private hotline::detail::Segment {
 public:
  Writing(const Writing&) = delete;
  Writing& operator=(const Writing&) = delete;
  ~Writing() {
    if (queued()) core_.abandon(*this);
  }

  bool await_ready() const noexcept { return !queued(); }
  template <hotline::detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = hotline::detail::Resumption{handle};
  }
  void await_resume() const noexcept {}

 private:
  friend class ResponseStream;
  Writing(detail::ExchangeCore& core, std::string_view bytes) : core_(core) {
    core.write_body(bytes, *this);
  }
  void sent() noexcept override {
    if (resumption_) resumption_.resume();
  }

  detail::ExchangeCore& core_;
  hotline::detail::Resumption resumption_;
};

inline ResponseStream::Writing ResponseStream::write(std::string_view bytes) & {
  return Writing{*core_, bytes};
}

inline Answering ResponseStream::end() & {
  ended_ = true;
  return Answering{*core_, [this](Waiter& waiter) { return core_->finish(waiter); }};
}

}  // namespace hotline::http
