#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hotline/base/logger.h>
#include <hotline/http/exchange.h>

namespace hotline::http {

class ServerCore;

/// "No limit" is not a value: zero in a limit, or a time of more than 365 days, is reported as an
/// error.
struct ServerOptions {
  /// The address to listen on: an IP literal. Everybody can reach "0.0.0.0" and "::".
  std::string address = "127.0.0.1";
  /// 0: one that is free; see Server::port().
  std::uint16_t port = 8080;
  /// Loops, a thread each. With more than one, handlers run concurrently and share nothing
  /// unguarded.
  unsigned threads = 1;
  /// Names that are answered in Host besides IP literals and localhost, when listening on a
  /// loopback address (anything else there gets 421, since a page anywhere can point its own name
  /// at 127.0.0.1). Empty and listening elsewhere: any name.
  std::vector<std::string> hosts = {};
  /// Bytes of a request's head, and fields in it; beyond: 431 (414 for the request line).
  std::size_t header_bytes = 16 * 1024;
  std::size_t header_count = 100;
  /// From the first byte of a request to the end of its head; beyond: 408.
  std::chrono::milliseconds head_timeout{10'000};
  /// A connection that waits for its next request, or takes nothing of its responses; beyond:
  /// closed.
  std::chrono::milliseconds idle_timeout{60'000};
  /// Connections in all; beyond: 503.
  std::size_t max_connections = 100'000;
  /// How long a drain may take before what is left is cut off.
  std::chrono::milliseconds drain_timeout{10'000};
  /// SIGINT and SIGTERM drain the server, from listen() until run() returns; a second one ends it
  /// at once.
  bool handle_signals = true;
  /// Null: warnings and errors to stderr.
  std::shared_ptr<Logger> logger = nullptr;
};

/// An HTTP server: routes, and loops that serve them. Set up and destroyed on one thread; `handle`
/// before `run`; `drain` and `stop` from any thread.
class Server {
 public:
  explicit Server(ServerOptions options = {});
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  ~Server();

  /// Routes a path, exactly: "/echo", for all methods; or "GET /echo", for one (GET serves HEAD
  /// also). A segment "{name}" stands for any one that is not empty (Request::parameter). A path
  /// that ends in "/" also serves all below it; one that ends in "/{$}" is just that slash. Where
  /// several match, the one that says more about the path is taken. Paths are compared as sent,
  /// percent-encoded. Throws Error (bad_option) for a pattern that is malformed or stands already,
  /// or when the server is running.
  void handle(std::string_view pattern, Handler handler);

  /// Checks the options, binds and listens; raises the process's limit of descriptors as far as
  /// allowed. Throws Error that names the option or the address. run() calls it if nobody has.
  void listen();
  /// The port listened on; 0 before listen().
  std::uint16_t port() const noexcept;
  /// Listens if need be, serves until drained or stopped, and returns 0; logs a failure and
  /// returns 1.
  int run();

  /// Ends gently: stops accepting (what is queued is still accepted), lets requests under way be
  /// answered, closes WebSocket connections with 1001; run() returns when all have gone or the
  /// drain timeout is over.
  void drain();
  /// Ends at once.
  void stop();

 private:
  std::unique_ptr<ServerCore> core_;
};

}  // namespace hotline::http
