#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hotline/net/stream.h>

#include "net/loop_group.h"
#include "net/systemd_sockets.h"
#include "net/unix_socket.h"

namespace hotline {

/// One place, accepted from by every loop of a group.
///
/// Of a TCP address each loop has a socket of its own, among which the kernel spreads connections.
/// The first one binds exclusively, so that a second program (or a second start of this one) fails
/// with a sentence instead of silently taking half the connections; only then all are opened to
/// SO_REUSEPORT. A unix socket, or one that was passed, is one queue that all loops take from.
class Listener {
 public:
  /// Called on the loop's thread, within a turn.
  using Accepted = std::function<void(Loop& loop, StreamPointer stream, const Listener& by)>;

  /// Binds, and listens. Throws Error naming the address.
  Listener(LoopGroup& loops, const Address& address, Accepted accepted);
  Listener(LoopGroup& loops, std::unique_ptr<UnixSocket> socket, Accepted accepted);
  Listener(LoopGroup& loops, PassedSocket socket, Accepted accepted);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  const Address& address() const noexcept { return local_; }
  /// 0 of a unix socket.
  std::uint16_t port() const noexcept { return local_.port(); }
  /// "127.0.0.1:8080" or "unix:/path".
  const std::string& name() const noexcept { return name_; }

  /// Begins accepting on that loop; before the loops run, or on the loop's thread.
  void start(std::size_t loop_index);
  /// Accepts what is queued on that loop, then closes its socket; on the loop's thread. A unix
  /// socket's path is removed before.
  void drain(std::size_t loop_index) noexcept;

 private:
  class Acceptor;

  void share(LoopGroup& loops, const Socket& socket);
  void add(Loop& loop, Socket socket);

  Address local_;
  std::string name_;
  Accepted accepted_;
  std::unique_ptr<UnixSocket> unix_;
  std::atomic<bool> path_removed_ = false;
  std::vector<std::shared_ptr<Acceptor>> acceptors_;
};

/// Listens on all `places`, each in the form of ServerOptions::listen. Throws Error that names the
/// place; then nothing listens.
std::vector<std::unique_ptr<Listener>> listen_on(LoopGroup& loops,
                                                 const std::vector<std::string>& places,
                                                 const Listener::Accepted& accepted);

}  // namespace hotline
