#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <hotline/base/task.h>
#include <hotline/http/request.h>
#include <hotline/http/response.h>
#include <hotline/net/byte_stream.h>
#include <hotline/net/stream.h>

namespace hotline {
class Loop;
}

namespace hotline::http {

/// The bytes of "101 Switching Protocols" with the fields of `headers` and `Connection: Upgrade`.
std::string switching_head(const Response& headers);

namespace detail {

/// A connection taken away from its HTTP session.
struct TakenOver {
  StreamPointer stream;
  /// Bytes that came behind the request.
  std::string received;
  /// Bytes of earlier responses, then the given head: to be sent before anything else.
  std::string unsent;
};

/// Whoever took the connection over, told how the handler of the request ended: once, unless the
/// handler was cancelled. Destroying the observer ends the observation; the core may be gone by
/// then.
class HandlerObserver {
 public:
  HandlerObserver() = default;
  HandlerObserver(const HandlerObserver&) = delete;
  HandlerObserver& operator=(const HandlerObserver&) = delete;
  virtual void handler_ended(bool by_exception) noexcept = 0;

 protected:
  ~HandlerObserver() {
    if (slot_) *slot_ = nullptr;
  }

 private:
  friend class ObserverSlot;
  HandlerObserver** slot_ = nullptr;
};

/// Where an observer is kept by what it observes. Either may go first.
class ObserverSlot {
 public:
  ObserverSlot() = default;
  ObserverSlot(const ObserverSlot&) = delete;
  ObserverSlot& operator=(const ObserverSlot&) = delete;
  ~ObserverSlot() { set(nullptr); }

  void set(HandlerObserver* observer) noexcept {
    if (observer_) observer_->slot_ = nullptr;
    if (observer && observer->slot_) *observer->slot_ = nullptr;
    observer_ = observer;
    if (observer_) observer_->slot_ = &observer_;
  }
  void tell(bool by_exception) noexcept {
    auto* observer = observer_;
    set(nullptr);
    if (observer) observer->handler_ended(by_exception);
  }

 private:
  HandlerObserver* observer_ = nullptr;
};

/// What stands behind an Exchange; HTTP/1.1 today, a stream of HTTP/2 later.
class ExchangeCore {
 public:
  virtual const Request& request() const noexcept = 0;
  virtual Loop& loop() noexcept = 0;
  virtual bool answered() const noexcept = 0;
  virtual bool draining() const noexcept = 0;
  /// Writes the whole response. True: the backlog is high, and `waiter` is told when it has
  /// drained.
  virtual bool respond(const Response& response, Waiter* waiter) noexcept = 0;
  virtual void cancel_wait(Waiter& waiter) noexcept = 0;
  /// Ends the session and hands over its connection with `head` to be sent first. The request stays
  /// valid until the core is released. Throws Error: already_answered, cannot_hijack.
  virtual TakenOver take_over(std::string_view head) = 0;
  /// Who hears of the handler's end, also after this core has been released. Null: nobody any more.
  virtual void observe_handler(HandlerObserver* observer) noexcept = 0;
  /// The Exchange is gone: answers 500 if nothing was answered. May be called after the session has
  /// ended.
  virtual void release() noexcept = 0;

 protected:
  ~ExchangeCore() = default;
};

struct ExchangeRelease {
  void operator()(ExchangeCore* core) const noexcept { core->release(); }
};
using ExchangePointer = std::unique_ptr<ExchangeCore, ExchangeRelease>;

}  // namespace detail

/// One request and its one response, in one handle. Movable; used on its loop's thread only.
///
/// Destroyed unanswered it answers 500. A second answer throws Error (already_answered). A
/// pipelined request waits for the answer to the one before. If the client hangs up before the
/// answer, the handler is cancelled at its next suspension.
class [[nodiscard]] Exchange {
 public:
  class Responding;
  class Hijacking;

  explicit Exchange(detail::ExchangePointer core) noexcept : core_(std::move(core)) {}
  Exchange(Exchange&&) noexcept = default;
  Exchange& operator=(Exchange&&) noexcept = default;

  /// Valid until this is answered, upgraded, hijacked or destroyed.
  const Request& request() const noexcept { return core_->request(); }
  bool answered() const noexcept { return core_->answered(); }
  /// Whether the server drains: a good time to refuse what takes long.
  bool draining() const noexcept { return core_->draining(); }

  /// Sends text/plain. The response is taken whole by the call itself; awaiting it suspends only
  /// while the client is slow to take its responses, so cancelling abandons the waiting, never the
  /// response. Throws Error: already_answered; bad_option for a status that is not final (below
  /// 200, above 599).
  Responding respond(Status status, std::string_view body) &;
  Responding respond(const Response& response) &;
  Responding respond(Status, std::string_view) && = delete;
  Responding respond(const Response&) && = delete;

  /// `co_await` takes the connection over and gives its ByteStream: the raw stream, with the bytes
  /// that were received behind the request as the first to be read. Nothing is sent, and nothing
  /// happens before it is awaited; then it does not suspend. Throws Error where the transport
  /// cannot (cannot_hijack) or the request has been answered (already_answered).
  Hijacking hijack() &;
  Hijacking hijack() && = delete;
  /// `co_await` sends "101 Switching Protocols" with the fields of `headers` (its status and body
  /// are not used; they are taken by the call) and `Connection: Upgrade`, then does the same as
  /// hijack(). In HTTP/2 it will be 200 on an extended CONNECT.
  Hijacking switch_protocols(const Response& headers) &;
  Hijacking switch_protocols(const Response&) && = delete;

  detail::ExchangeCore& core() noexcept { return *core_; }

 private:
  detail::ExchangePointer core_;
};

/// What a route calls: it is kept until its last coroutine has ended, and is called from all loops.
using Handler = std::function<Task<>(Exchange)>;

/// Awaits room in the backlog behind a response.
class [[nodiscard("co_await it")]] Exchange::Responding final : private Waiter {
 public:
  Responding(const Responding&) = delete;
  Responding& operator=(const Responding&) = delete;
  ~Responding() {
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
  Responding(detail::ExchangeCore& core, const Response& response);
  void ready() noexcept override {
    waiting_ = false;
    if (resumption_) resumption_.resume();
  }

  detail::ExchangeCore& core_;
  bool waiting_ = false;
  hotline::detail::Resumption resumption_;
};

/// Takes the connection over when it is awaited.
class [[nodiscard("co_await it")]] Exchange::Hijacking final {
 public:
  Hijacking(const Hijacking&) = delete;
  Hijacking& operator=(const Hijacking&) = delete;

  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  ByteStream await_resume();

 private:
  friend class Exchange;
  Hijacking(detail::ExchangeCore& core, std::string head) noexcept
      : core_(core), head_(std::move(head)) {}

  detail::ExchangeCore& core_;
  std::string head_;
};

}  // namespace hotline::http
