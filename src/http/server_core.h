#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hotline/http/server.h>

#include "http/server_end.h"
#include "http/worker.h"
#include "net/listener.h"
#include "net/loop_group.h"

namespace hotline::http {

/// A server without its public face. Tests hand it streams on loops of their own, and need no
/// socket.
class ServerCore {
 public:
  explicit ServerCore(ServerOptions options);
  ServerCore(const ServerCore&) = delete;
  ServerCore& operator=(const ServerCore&) = delete;
  ~ServerCore();

  void handle(std::string_view pattern, Handler handler);
  void use(Middleware middleware);
  void listen();
  std::uint16_t port() const noexcept { return port_; }
  const std::vector<std::string>& addresses() const noexcept { return addresses_; }
  /// Serves until drained or stopped. Throws Error where it cannot begin.
  void run();
  void drain();
  void stop();
  std::size_t backlog() noexcept;
  void on_each_loop(std::function<void()> function);

  /// Serves a connection on `loop`, which outlives this if it is not one of the server's own, as if
  /// it came by ServerOptions::address. On its thread.
  void serve(Loop& loop, StreamPointer stream);
  /// What is served on that loop.
  Worker& worker(Loop& loop);

  const std::shared_ptr<ServerEnd>& end() const noexcept { return end_; }
  /// Null where no TLS is spoken.
  TlsServer* tls() const noexcept { return site_.tls.get(); }
  Logger& logger() noexcept { return loops_[0].logger(); }

 private:
  class Signals;
  class DrainTimer;

  void check_options() const;
  void serve(Loop& loop, StreamPointer stream, const Address& listener);
  void end_run() noexcept;
  void drain_loop(std::size_t index);
  void drained_loop();

  std::shared_ptr<ServerEnd> end_ = std::make_shared<ServerEnd>();
  Site site_;
  LoopGroup loops_;
  std::vector<std::unique_ptr<Worker>> workers_;  // of loops_, then those of other loops
  std::unique_ptr<Signals> signals_;
  std::vector<std::unique_ptr<Listener>> listeners_;
  std::unique_ptr<DrainTimer> drain_timer_;
  std::uint16_t port_ = 0;
  std::vector<std::string> addresses_;
  std::atomic<bool> running_ = false;
  std::atomic<bool> draining_ = false;
  std::atomic<bool> stopping_ = false;
  std::atomic<std::size_t> not_drained_ = 0;
  std::atomic<std::size_t> not_closed_ = 0;
};

}  // namespace hotline::http
