#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hotline/base/logger.h>
#include <hotline/http/exchange.h>
#include <hotline/http/middleware.h>
#include <hotline/http/observer.h>
#include <hotline/net/tls_options.h>

namespace hotline::http {

class ServerCore;

/// "No limit" is not a value: zero in a limit, or a time of more than 365 days, is reported as an
/// error.
struct ServerOptions {
  /// The address to listen on: an IP literal. Everybody can reach "0.0.0.0" and "::".
  std::string address = "127.0.0.1";
  /// 0: one that is free; see Server::port().
  std::uint16_t port = 8080;
  /// Several places to listen on; where there are any, `address` and `port` are not used. Each is
  /// - "192.0.2.1:8080" or "[2001:db8::1]:8080": an IP address and a port (0: one that is free);
  /// - "localhost:8080": both loopback addresses, or the one that the machine has;
  /// - "unix:/run/hotline.sock": a unix socket of mode 0660, the path at most 107 bytes. A file
  /// that
  ///   a server left behind is replaced; a socket that still answers, or a file of another kind, is
  ///   an error. It is removed at the end, if it is still the same;
  /// - "systemd": the sockets that the service manager passed (sd_listen_fds(3)), all of them.
  std::vector<std::string> listen = {};
  /// Loops, a thread each. With more than one, handlers run concurrently and share nothing
  /// unguarded.
  unsigned threads = 1;
  /// Names that are answered in Host besides IP literals and localhost, when listening on a
  /// loopback address (anything else there gets 421, since a page anywhere can point its own name
  /// at 127.0.0.1). Empty and listening elsewhere, on a unix socket too: any name.
  std::vector<std::string> hosts = {};
  /// Bytes of a request's head, and fields in it; beyond: 431 (414 for the request line).
  std::size_t header_bytes = 16 * 1024;
  std::size_t header_count = 100;
  /// From the first byte of a request to the end of its head; beyond: 408.
  std::chrono::milliseconds head_timeout{10'000};
  /// Bytes of a request's body, for handlers that name no limit of their own; beyond: 413.
  std::uint64_t body_limit = std::uint64_t{1} << 20;
  /// How long a handler waits for a body: so long for its next bytes, and for all of it together so
  /// long and a second more for each `body_rate` bytes that have come; beyond: 408.
  std::chrono::milliseconds body_timeout{30'000};
  std::uint64_t body_rate = 500;
  /// A connection that waits for its next request, or takes nothing of its responses; beyond:
  /// closed.
  std::chrono::milliseconds idle_timeout{60'000};
  /// Connections in all, until the last byte of each is sent; beyond: 503.
  std::size_t max_connections = 100'000;
  /// Connections of one client, an IPv4 address or an IPv6 /64; beyond: 429. One client cannot take
  /// more than a hundredth of the default of `max_connections`, yet an office behind one address
  /// has room. Loopback addresses, unix sockets and `trusted_proxies` are not counted: a proxy
  /// speaks for many. What PROXY protocol names is counted like any other.
  std::size_t max_connections_per_address = 1000;
  /// New connections of one client a second, and how many may come at once on top; beyond: closed
  /// without an answer, which would cost more than the connection did. The same are exempt.
  unsigned connection_rate = 100;
  unsigned connection_burst = 1000;
  /// Who is believed when it says on whose behalf it calls, by Forwarded (RFC 7239),
  /// X-Forwarded-For, -Proto and -Host, or PROXY protocol: IP addresses, networks
  /// ("10.0.0.0/8", "2001:db8::/32"), and "unix" for whoever calls through a unix socket. Of such a
  /// proxy all these headers are believed: it has to set or remove every one of them. See
  /// Request::client_address().
  std::vector<std::string> trusted_proxies = {};
  /// Every connection begins with PROXY protocol, version 1 or 2, and comes from a trusted proxy
  /// (others are closed without an answer); within `head_timeout`. What it names becomes the
  /// connection's remote_address() and local_address(); LOCAL, UNKNOWN and
  /// a client behind a unix socket leave them as they are; of such a connection no header is
  /// believed, since it may be the unnamed client that sends it.
  bool proxy_protocol = false;
  /// Certificates: with them, everybody speaks TLS on all listeners (behind PROXY protocol, where
  /// there is that), and who does not is told so. A handshake has `head_timeout`.
  TlsServerOptions tls = {};
  /// What Retry-After tells those who are sent away by 503 (full, or draining) and 429.
  std::chrono::seconds retry_after{10};
  /// How long a drain may take before what is left is cut off.
  std::chrono::milliseconds drain_timeout{10'000};
  /// In a drain each WebSocket connection hears its 1001 at a random point within this, so that
  /// clients do not all come back at the same moment. Below `drain_timeout`; 0: all at once.
  std::chrono::milliseconds drain_jitter{0};
  /// SIGINT and SIGTERM drain the server, from listen() until run() returns; a second one ends it
  /// at once.
  bool handle_signals = true;
  /// Null: warnings and errors to stderr.
  std::shared_ptr<Logger> logger = nullptr;
  /// Told of each request and connection. Null: nobody.
  std::shared_ptr<ServerObserver> observer = nullptr;
};

/// An HTTP server: routes, and loops that serve them. Set up and destroyed on one thread; `handle`
/// before `run`; `drain` and `stop` from any thread.
class Server {
 public:
  explicit Server(ServerOptions options = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Routes what matches "[METHOD ][HOST]/path", as Go's ServeMux does.
  ///
  /// - Without a method: all of them; GET serves HEAD also. A host is compared without its port and
  ///   without case; one that names a host goes before one that does not.
  /// - "/echo" is that path; "/files/", ending in a slash, is all below it also; "/files/{$}" is
  ///   only the slash itself. "{name}" stands for one segment, not empty; "{name...}", at the end,
  ///   for all that is left, also nothing (Request::parameter).
  /// - Segments are compared percent-decoded; an encoded slash (%2F) stays inside its segment.
  /// - Where several match, the most specific serves, in whatever order they were given: the one
  ///   whose requests are part of the other's. If neither is, they conflict.
  /// - A path with //, /./ or /../ (also with dots encoded) is redirected to the clean one, and
  ///   "/files" to "/files/" where only that is routed: 301 for GET and HEAD, otherwise 308.
  /// - What no route serves is answered 404, or 405 with Allow where another method is routed.
  ///
  /// Throws Error (bad_option) that says which byte of a pattern is wrong, or which two conflict;
  /// or when the server is running.
  void handle(std::string_view pattern, Handler handler);
  /// Puts `middleware` around all routes, those to come also, and around the answers where there is
  /// none (404, 405, redirects); what is used first is the outermost. Requests that are refused
  /// before they have a path (400, 421, 431...) do not come by. http::wrap() is for one route.
  /// Throws Error (bad_option) if it is empty, or when the server is running.
  void use(Middleware middleware);

  /// Checks the options, binds and listens; raises the process's limit of descriptors as far as
  /// allowed. Throws Error that names the option or the address. run() calls it if nobody has.
  void listen();
  /// The first port listened on; 0 before listen(), or where there are only unix sockets.
  std::uint16_t port() const noexcept;
  /// What is listened on, in the form of ServerOptions::listen: "127.0.0.1:8080", "unix:/path".
  /// What systemd passed is named by its address. Empty before listen().
  std::vector<std::string> addresses() const;
  /// Listens if need be, serves until drained or stopped, and returns 0; logs a failure and
  /// returns 1.
  int run();

  /// Reads the files of ServerOptions::tls again. Connections go on as they are; handshakes to come
  /// have what is in the files now, and cannot resume sessions of before. Throws Error (bad_option)
  /// that names the file; then nothing has changed. From any thread, after listen().
  void reload_tls();
  /// Whether a file of ServerOptions::tls has been changed or replaced since it was read, or tried,
  /// last. From any thread, after listen().
  bool tls_files_changed() const;
  /// What there is of certificates, for the log: "example.org (until 2027-01-31 12:00:00 UTC,
  /// SHA-256 AB:CD:...)". From any thread, after listen().
  std::vector<std::string> tls_certificates() const;

  /// Bytes that wait because their receivers are slow, of all connections. From any thread.
  std::size_t backlog() const noexcept;
  /// Calls `function` soon, once on each loop's thread, on all of them at the same time: for what
  /// must see that the loops go round. It must not throw. From any thread; never if it does not
  /// run.
  void on_each_loop(std::function<void()> function);

  /// Ends gently: stops accepting (what is queued is still accepted), lets requests under way be
  /// answered, closes WebSocket connections with 1001; run() returns when all have gone or the
  /// drain timeout is over.
  void drain();
  /// Ends at once.
  void stop();

  /// Blocks until the server has ended: run() is about to return, and its handlers and connections
  /// have all gone; or until the Server is destroyed. From any thread but those of run().
  void wait() const;
  /// The same; false: the time was over first.
  bool wait_for(std::chrono::milliseconds time) const;
  /// The same for a Task on another loop than the server's. Throws Cancelled when that loop drains.
  Task<> ended() const;

  /// For what works on servers without being one.
  ServerCore& core() noexcept { return *core_; }

 private:
  std::unique_ptr<ServerCore> core_;
};

}  // namespace hotline::http
