#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hotline/base/error.h>
#include <hotline/http/exchange.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/limits.h>
#include <hotline/websocket/observer.h>

namespace hotline::websocket {

/// Why a request is not upgraded, and how that is answered.
class Refusal {
 public:
  Refusal(http::Status status, std::string_view reason, std::string sentence,
          http::Response response)
      : response_(std::move(response)),
        sentence_(std::move(sentence)),
        reason_(reason),
        status_(status) {}

  /// By the rule that was broken: 400, 403, 405, 426, 503.
  http::Status status() const noexcept { return status_; }
  /// That rule in a word: see HandshakeRefusal::reason. Static storage.
  std::string_view reason() const noexcept { return reason_; }
  /// And in a sentence; what the client sent is escaped in it.
  const std::string& sentence() const noexcept { return sentence_; }
  /// The status and the sentence as an Error (upgrade_refused), for those who would rather throw
  /// it.
  Error error() const;
  /// What is answered: the rule's own answer, or that of UpgraderOptions::on_refused.
  const http::Response& response() const noexcept { return response_; }
  /// The answer as HTTP/1.1 sends it, with Date and `Connection: close`: for other people's
  /// servers.
  std::string bytes() const;

 private:
  http::Response response_;
  std::string sentence_;
  std::string_view reason_;
  http::Status status_;
};

/// How requests are upgraded. Checked when an Upgrader is made. The callbacks are called from all
/// loops: const and thread-safe. What one throws is the handler's failure, answered with 500.
struct UpgraderOptions {
  /// What this end speaks, in its order of preference: the first that the client offers too is
  /// agreed on. If none is common the header is left out, and the client decides whether to go on.
  std::vector<std::string> subprotocols = {};
  /// Chooses in place of that list, if set: one of Request::websocket_subprotocols(), or "" for
  /// none. It is not asked where nothing is offered. Anything else is an error (bad_option).
  std::function<std::string(const http::Request&)> choose_subprotocol = nullptr;
  /// Whose pages may connect besides those of the same host: "https://example.org" (scheme, host
  /// and port), "https://*.example.org" (any name below it), or "any", which lets every page that a
  /// user's browser shows talk to this server in the user's name. A request without Origin (not a
  /// browser) is let in.
  std::vector<std::string> origins = {};
  /// Decides in place of all that, if set, on requests that have one Origin.
  std::function<bool(const http::Request&)> check_origin = nullptr;
  /// What a peer may ask of a connection.
  Limits limits = {};
  /// Added to the 101.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Told of every connection and every refusal. Null: nobody; a connection then costs nothing for
  /// it. An observed one takes some 150 bytes more.
  std::shared_ptr<ConnectionObserver> observer = nullptr;
  /// Adds to the 101 of this request, which no rule refuses: cookies, say. Of the Response only the
  /// fields are used. See also Upgrading::with.
  std::function<void(const http::Request&, http::Response&)> on_accepted = nullptr;
  /// May answer a refused request in other words; nullopt leaves it at refusal.response(). Fields
  /// that the status demands (Allow, Upgrade, Sec-WebSocket-Version, Retry-After) are added where
  /// it has the same status and leaves them out, and the connection ends where it would have.
  std::function<std::optional<http::Response>(const http::Request&, const Refusal&)> on_refused =
      nullptr;
};

/// Turns HTTP requests into WebSocket connections (RFC 6455 4.2). Immutable: one serves all loops,
/// and what it makes does not depend on its life.
class Upgrader {
 public:
  class Upgrading;
  class State;

  /// Throws Error (bad_option) that says which option and value.
  explicit Upgrader(UpgraderOptions options = {});

  /// A route's handler that upgrades and then calls `callback` with the connection. A request that
  /// is refused is answered, and `callback` not called. `callback` is called from all loops.
  http::Handler handler(std::function<Task<>(Connection)> callback) const;

  /// `co_await` gives std::optional<Connection>: nullopt where the request was refused; it has been
  /// answered and logged then. Views of the request end with this. Throws Error (already_answered,
  /// cannot_hijack). `response_head`, if given, outlives the await and gets the bytes of the 101 as
  /// they are sent, up to its empty line; it is left alone where the request was refused.
  [[nodiscard]] Upgrading upgrade(http::Exchange exchange,
                                  std::string* response_head = nullptr) const;

  /// For a request that somebody else's server has parsed: takes over its stream, on which
  /// `received` came behind the request, sends the 101 and gives the connection. Refused (400 also
  /// without one Host): that is answered and logged, the stream is closed, and nullopt given. To be
  /// called on the thread of the loop that the stream was made in, by a Task (else Error,
  /// no_runtime) or by way of hotline/asio.h, which knows the loop. The connection must not outlive
  /// the loop.
  [[nodiscard]] std::optional<Connection> accept(const http::Request& request, StreamPointer stream,
                                                 std::string received = {}) const;
  [[nodiscard]] std::optional<Connection> accept(Loop& loop, const http::Request& request,
                                                 StreamPointer stream,
                                                 std::string received = {}) const;

  /// Whether and why this request would be refused, without doing anything about it. From any
  /// thread.
  [[nodiscard]] std::optional<Refusal> check(const http::Request& request) const;

 private:
  std::shared_ptr<const State> state_;
};

/// What is asked for one request only. All of it is optional:
///
///     auto connection = co_await upgrader.upgrade(std::move(exchange)).with("Set-Cookie", cookie);
class [[nodiscard("co_await it")]] Upgrader::Upgrading {
 public:
  Upgrading(const State& state, http::Exchange exchange, std::string* response_head)
      : state_(state), exchange_(std::move(exchange)), response_head_(response_head) {}
  Upgrading(Upgrading&&) = default;  // with() gives an rvalue, which g++ 12 moves to await it

  /// Adds a field to the 101; a refusal does not have it. Throws Error (bad_option) for a field
  /// that is malformed, or is the handshake's own.
  Upgrading& with(std::string_view name, std::string_view value) &;
  Upgrading&& with(std::string_view name, std::string_view value) && {
    return std::move(with(name, value));
  }
  /// Agrees on this subprotocol, whatever the options say: one that the client offers
  /// (Request::websocket_subprotocols()), or "" for none; else the await throws Error (bad_option).
  Upgrading& with_subprotocol(std::string_view name) & {
    subprotocol_ = name;
    return *this;
  }
  Upgrading&& with_subprotocol(std::string_view name) && {
    return std::move(with_subprotocol(name));
  }

  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  std::optional<Connection> await_resume();

 private:
  const State& state_;
  http::Exchange exchange_;
  std::string* response_head_;
  http::Response fields_{http::Status::switching_protocols};
  std::optional<std::string> subprotocol_;
};

}  // namespace hotline::websocket
