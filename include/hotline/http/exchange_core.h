#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <hotline/base/error.h>
#include <hotline/http/request.h>
#include <hotline/http/response.h>
#include <hotline/net/segment.h>
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

/// What the client did, or did not do, as its handler meets it: leaving by it is no failure.
class ClientFault : public Error {
 public:
  using Error::Error;
};

/// What a read of a request's body has come to.
struct BodyPiece {
  enum class Kind : std::uint8_t { waiting, piece, end, failed };
  Kind kind = Kind::end;
  std::string_view bytes{};  // of a piece: valid until the next read, or the answer
  Fault fault{};             // where it failed
  std::string_view reason{};
};

/// What stands behind an Exchange; HTTP/1.1 today, a stream of HTTP/2 later. It lives while
/// anybody retains it; the Exchange does from the beginning.
class ExchangeCore {
 public:
  virtual const Request& request() const noexcept = 0;
  virtual Loop& loop() noexcept = 0;
  virtual bool answered() const noexcept = 0;
  virtual bool draining() const noexcept = 0;
  /// ServerOptions::retry_after.
  virtual std::chrono::seconds retry_after() const noexcept = 0;
  /// A field of whatever answer comes. Throws Error: bad_option, already_answered.
  virtual void add_header(std::string_view name, std::string_view value) = 0;

  /// Writes the whole response. True: the backlog is high, and `waiter` is told when it has
  /// drained. `reason`: RequestRecord::reason.
  virtual bool respond(const Response& response, Waiter* waiter,
                       std::string_view reason = {}) noexcept = 0;
  virtual void cancel_wait(Waiter& waiter) noexcept = 0;

  /// The next piece of the body, of at most `limit` bytes in all. `waiting`: `waiter`, the only
  /// one, is told when to ask again.
  virtual BodyPiece read_body(std::uint64_t limit, Waiter& waiter) noexcept = 0;
  virtual void cancel_body_wait(Waiter& waiter) noexcept = 0;
  /// What handlers that name no limit get: ServerOptions::body_limit.
  virtual std::uint64_t body_limit() const noexcept = 0;

  /// Begins an answer whose body follows. Throws Error: already_answered.
  virtual void start(const Response& response) = 0;
  /// Where this leaves `segment` queued it will be told, and `bytes` stay valid until then. Throws
  /// Error: wrong_length, connection_ended.
  virtual void write_body(std::string_view bytes, hotline::detail::Segment& segment) = 0;
  virtual void abandon(hotline::detail::Segment& segment) noexcept = 0;
  /// The body is whole. True: the backlog is high, and `waiter` is told when it has drained. Throws
  /// Error: wrong_length.
  virtual bool finish(Waiter& waiter) = 0;
  /// The body will never be whole: the client shall see it.
  virtual void cut() noexcept = 0;

  /// Ends the session and hands over its connection with `head` to be sent first. The request stays
  /// valid until the core is released. Throws Error: already_answered, cannot_hijack.
  virtual TakenOver take_over(std::string_view head) = 0;
  /// Who hears of the handler's end, also after this core has been released. Null: nobody any more.
  virtual void observe_handler(HandlerObserver* observer) noexcept = 0;

  /// The Exchange is gone: answers 500 if nothing was answered. May be called after the session has
  /// ended.
  virtual void release() noexcept = 0;
  virtual void retain() noexcept = 0;
  virtual void drop() noexcept = 0;

 protected:
  ~ExchangeCore() = default;
};

struct ExchangeRelease {
  void operator()(ExchangeCore* core) const noexcept { core->release(); }
};
using ExchangePointer = std::unique_ptr<ExchangeCore, ExchangeRelease>;

/// A further handle of a core.
class CoreHandle {
 public:
  CoreHandle() = default;
  explicit CoreHandle(ExchangeCore& core) noexcept : core_(&core) { core.retain(); }
  CoreHandle(CoreHandle&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  CoreHandle& operator=(CoreHandle&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~CoreHandle() {
    if (core_) core_->drop();
  }
  explicit operator bool() const noexcept { return core_ != nullptr; }
  ExchangeCore& operator*() const noexcept { return *core_; }
  ExchangeCore* operator->() const noexcept { return core_; }

 private:
  ExchangeCore* core_ = nullptr;
};

}  // namespace detail
}  // namespace hotline::http
