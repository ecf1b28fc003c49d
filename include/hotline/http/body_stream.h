#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include <hotline/base/task.h>
#include <hotline/http/exchange_core.h>

namespace hotline::http {

/// A request's body as it comes: `while (auto piece = co_await body.read())`.
///
/// It is received only as it is read: a client whose body nobody reads is held back by TCP.
/// Movable; used on its loop's thread; one read at a time.
class [[nodiscard]] BodyStream {
 public:
  class Read;

  /// From Exchange::body_stream().
  BodyStream(detail::ExchangeCore& core, std::uint64_t limit) noexcept
      : core_(core), limit_(limit) {}

  /// Waits for the next bytes of the body: never none of them; nullopt at its end. They are valid
  /// until the next read, or the answer. Dropping it loses nothing.
  ///
  /// Throws Error when the body cannot be had, and each time again: body_too_large beyond the limit
  /// (at once, where Content-Length or a chunk's size says so), protocol_error for malformed
  /// chunks, deadline_passed where it comes too slowly (ServerOptions::body_timeout),
  /// connection_ended. If the handler then ends without an answer, the request is answered 413, 400
  /// or 408; whatever is answered, the connection ends behind it. concurrent_read,
  /// already_answered: misuse.
  Read read() &;
  Read read() && = delete;

 private:
  detail::CoreHandle core_;
  std::uint64_t limit_;
};

class [[nodiscard("co_await it")]] BodyStream::Read final : private Waiter {
 public:
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;
  ~Read() {
    if (piece_.kind == Kind::waiting && resumption_) core_.cancel_body_wait(*this);
  }

  bool await_ready() {
    piece_ = core_.read_body(limit_, *this);
    return piece_.kind != Kind::waiting;
  }
  template <hotline::detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = hotline::detail::Resumption{handle};
  }
  std::optional<std::string_view> await_resume() const;

 private:
  friend class BodyStream;
  using Kind = detail::BodyPiece::Kind;
  Read(detail::ExchangeCore& core, std::uint64_t limit) noexcept : core_(core), limit_(limit) {}
  void ready() noexcept override;

  detail::ExchangeCore& core_;
  std::uint64_t limit_;
  detail::BodyPiece piece_;
  hotline::detail::Resumption resumption_;
};

inline BodyStream::Read BodyStream::read() & { return Read{*core_, limit_}; }

}  // namespace hotline::http
