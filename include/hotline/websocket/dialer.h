#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hotline/base/error.h>
#include <hotline/base/task.h>
#include <hotline/http/response_head.h>
#include <hotline/net/proxy_options.h>
#include <hotline/net/stream.h>
#include <hotline/net/tls_options.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/cookie_jar.h>
#include <hotline/websocket/dial_observer.h>
#include <hotline/websocket/limits.h>
#include <hotline/websocket/observer.h>

namespace hotline::websocket {

/// Where a dial leads, for DialerOptions::connect. Of the URL, or of a redirect.
struct DialTarget {
  /// A name or an IP literal without brackets, perhaps with its zone ("fe80::1%eth0"); "" where
  /// there is a socket_path.
  std::string host = {};
  std::uint16_t port = 0;
  /// Of a unix socket (ws+unix:), in place of host and port.
  std::string socket_path = {};
  /// wss: TLS is spoken over the stream. That is the Dialer's business, not the hook's.
  bool secure = false;
};

/// How connections are made. Checked when a Dialer is made. The callbacks are called from all
/// loops that dial: const and thread-safe.
struct DialerOptions {
  /// What is offered, most wanted first; Connection::subprotocol() tells what was agreed on.
  std::vector<std::string> subprotocols = {};
  /// The header Origin, as browsers send it: "https://example.org". Empty: none.
  std::string origin = {};
  /// Added to the request. Those that the handshake writes itself are refused (bad_option). Host,
  /// Cookie and Authorization may be among them; they are not sent on when a redirect leads
  /// elsewhere.
  std::vector<std::pair<std::string, std::string>> headers = {};
  /// Sent with each request, and filled from each answer; many Dialers may share one. Null: none.
  std::shared_ptr<CookieJar> cookies = nullptr;
  /// What a peer may ask of a connection.
  Limits limits = {};
  /// For all of a dial: name, connection, proxy, TLS, handshake and redirects. More than 0, at most
  /// 365 days.
  std::chrono::milliseconds timeout{30'000};
  /// For wss. A redirect to another origin is followed without the client's certificate and
  /// `server_name`: they were meant for the first.
  TlsClientOptions tls = {};
  /// By default, what the environment says.
  ProxyOptions proxy = {};
  /// How many redirects (301, 302, 303, 307, 308) one dial follows; none by default. Never from wss
  /// to ws, and not in a circle.
  unsigned redirects = 0;
  /// Connects to "host:port", "[::1]:port" or "unix:PATH" in place of what the URL names, which
  /// stands in the request (and in TLS) all the same; not where a redirect has led elsewhere. No
  /// proxy is used.
  std::string connect_to = {};
  /// Supplies the stream in place of all that: `connect_to` and `proxy` are not looked at. The
  /// stream belongs to the loop that dials. What the Task throws is thrown out of dial(). The
  /// function itself outlives the Task, so a lambda that captures may be the coroutine.
  std::function<Task<StreamPointer>(const DialTarget&)> connect = nullptr;
  /// Told of every connection. Null: nobody.
  std::shared_ptr<ConnectionObserver> observer = nullptr;
  /// Told of every step of a dial. Null: nobody.
  std::shared_ptr<DialObserver> dial_observer = nullptr;
};

/// The server has answered, but not as it must: upgrade_refused where its status is not 101,
/// bad_response where a header of its 101 is wrong; what() says which.
class DialRefused : public Error {
 public:
  DialRefused(Fault fault, const std::string& context, http::ResponseHead response,
              std::string body = {});

  int status() const noexcept { return answer_->head.status; }
  const http::ResponseHead& response() const noexcept { return answer_->head; }
  /// The first header of that name, compared without case, or "".
  std::string_view header(std::string_view name) const noexcept {
    return answer_->head.header(name);
  }
  /// Up to its first 1,024 bytes; less where they do not come within two seconds.
  const std::string& body() const noexcept { return answer_->body; }

 private:
  struct Answer {
    http::ResponseHead head;
    std::string body;
  };
  std::shared_ptr<const Answer> answer_;  // exceptions are copied
};

/// Makes WebSocket connections (RFC 6455 4.1): "ws://…", "wss://…", and to a unix socket, as
/// node-ws has it, "ws+unix:/path/to.sock:/chat".
///
///     const hotline::websocket::Dialer dialer{{.subprotocols = {"chat"}}};
///     auto connection = co_await dialer.dial("wss://example.org/room");
///
/// Immutable: one serves all loops, and what it makes does not depend on its life.
class Dialer {
 public:
  /// Throws Error (bad_option) that says which option and value.
  explicit Dialer(DialerOptions options = {});

  /// Connects, on the loop of the thread. User and password of the URL are sent as basic
  /// authentication (RFC 7617), unless the options have an Authorization. Throws
  /// - Error (bad_url);
  /// - Error (name_not_found), or errno's code with the address, where nobody is reached;
  ///   proxy_refused, proxy_failed;
  /// - Error of Condition::certificate_rejected, that says what is wrong with it; tls_failed;
  /// - DialRefused; Error (bad_response) for what is no HTTP, connection_reset where there is no
  ///   answer;
  /// - Error (deadline_passed) that says in which step;
  /// - Cancelled when the server drains.
  /// Dropping the Task cancels, at every point. `response`, if given, outlives the Task and gets
  /// what the server answered.
  [[nodiscard]] Task<Connection> dial(std::string_view url,
                                      http::ResponseHead* response = nullptr) const&;
  Task<Connection> dial(std::string_view, http::ResponseHead* = nullptr) const&& = delete;

 private:
  class State;
  std::shared_ptr<const State> state_;
};

}  // namespace hotline::websocket
