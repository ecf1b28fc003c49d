#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <hotline/base/task.h>
#include <hotline/http/body_stream.h>
#include <hotline/http/exchange_core.h>
#include <hotline/http/request.h>
#include <hotline/http/response.h>
#include <hotline/http/response_stream.h>
#include <hotline/net/byte_stream.h>

namespace hotline::http {

/// One request and its one response, in one handle. Movable; used on its loop's thread only.
///
/// Destroyed unanswered it answers 500. A second answer throws Error (already_answered). A
/// pipelined request waits for the answer to the one before, and for the end of its handler. If the
/// client hangs up before the answer, the handler is cancelled at its next suspension.
class [[nodiscard]] Exchange {
 public:
  class Hijacking;

  explicit Exchange(detail::ExchangePointer core) noexcept : core_(std::move(core)) {}
  Exchange(Exchange&&) noexcept = default;
  Exchange& operator=(Exchange&&) noexcept = default;

  /// Valid until this is answered, upgraded, hijacked or destroyed.
  const Request& request() const noexcept { return core_->request(); }
  bool answered() const noexcept { return core_->answered(); }
  /// A field that whatever answer comes will have, also the 101 and what the session itself answers
  /// (a 500, a 413): for what wraps handlers. It stands behind the answer's own fields, beside
  /// those of the same name. Throws Error: bad_option as Response::add does, already_answered.
  void add_header(std::string_view name, std::string_view value) { core_->add_header(name, value); }
  /// Whether the server drains: a good time to refuse what takes long.
  bool draining() const noexcept { return core_->draining(); }

  /// The request's body, whole, of at most `limit` bytes (without it: ServerOptions::body_limit);
  /// "" where it has none, or it has been read. To be awaited while this lives. Throws Error as
  /// BodyStream::read does. A client that waits for "100 Continue" gets it when the body is first
  /// asked for.
  ///
  /// A body that nobody reads is dropped behind the answer if it is short (64 KiB); otherwise the
  /// connection ends there.
  Task<std::string> body() & { return body(core_->body_limit()); }
  Task<std::string> body(std::uint64_t limit) &;
  Task<std::string> body() && = delete;
  Task<std::string> body(std::uint64_t) && = delete;
  /// The same, piece by piece: `while (auto piece = co_await body.read())`.
  BodyStream body_stream() { return body_stream(core_->body_limit()); }
  BodyStream body_stream(std::uint64_t limit) { return BodyStream{*core_, limit}; }

  /// Sends text/plain. The response is taken whole by the call itself; awaiting it suspends only
  /// while the client is slow to take its responses, so cancelling abandons the waiting, never the
  /// response. Throws Error: already_answered; bad_option for a status that is not final (below
  /// 200, above 599), and where Response::content_length() says something else than the body (but
  /// in the answer to HEAD, where it stands for the body).
  Answering respond(Status status, std::string_view body) &;
  Answering respond(const Response& response) &;
  Answering respond(Status, std::string_view) && = delete;
  Answering respond(const Response&) && = delete;

  /// Sends the head of an answer whose body is written to what this gives: with
  /// Response::content_length() exactly so many bytes; otherwise in chunks, to an HTTP/1.0 client
  /// until the connection closes. `response` itself has no body. The request stays valid, and its
  /// body can still be read. A client that hangs up cancels the handler, unless something is just
  /// on its way to it. Throws Error as respond() does.
  ResponseStream start(const Response& response) &;
  ResponseStream start(const Response&) && = delete;

  /// `co_await` takes the connection over and gives its ByteStream: the raw stream, with the bytes
  /// that were received behind the request as the first to be read. Nothing is sent, and nothing
  /// happens before it is awaited; then it does not suspend. Throws Error where the transport
  /// cannot or the request has a body that was not read to its end (cannot_hijack), or the request
  /// has been answered (already_answered).
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
