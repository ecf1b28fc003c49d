#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <hotline/http/exchange.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/limits.h>
#include <hotline/websocket/observer.h>

namespace hotline::websocket {

/// How requests are upgraded. Checked when an Upgrader is made.
struct UpgraderOptions {
  /// What this end speaks, in its order of preference: the first that the client offers too is
  /// agreed on. If none is common the header is left out, and the client decides whether to go on.
  std::vector<std::string> subprotocols = {};
  /// Whose pages may connect besides those of the same host: "https://example.org" (scheme, host
  /// and port), "https://*.example.org" (any name below it), or "any", which lets every page that a
  /// user's browser shows talk to this server in the user's name. A request without Origin (not a
  /// browser) is let in.
  std::vector<std::string> origins = {};
  /// Decides in place of all that, if set. Called from all loops: const and thread-safe.
  std::function<bool(const http::Request&)> check_origin = nullptr;
  /// What a peer may ask of a connection.
  Limits limits = {};
  /// Added to the 101.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Told of every connection and every refusal. Null: nobody; a connection then costs nothing for
  /// it. An observed one takes some 150 bytes more.
  std::shared_ptr<ConnectionObserver> observer = nullptr;
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

 private:
  std::shared_ptr<const State> state_;
};

class [[nodiscard("co_await it")]] Upgrader::Upgrading {
 public:
  Upgrading(const State& state, http::Exchange exchange, std::string* response_head) noexcept
      : state_(state), exchange_(std::move(exchange)), response_head_(response_head) {}
  Upgrading(const Upgrading&) = delete;
  Upgrading& operator=(const Upgrading&) = delete;

  bool await_ready() const noexcept { return true; }
  void await_suspend(std::coroutine_handle<>) const noexcept {}
  std::optional<Connection> await_resume();

 private:
  const State& state_;
  http::Exchange exchange_;
  std::string* response_head_;
};

}  // namespace hotline::websocket
