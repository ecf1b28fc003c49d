#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <hotline/net/stream.h>

#include "net/loop_group.h"

namespace hotline {

/// One address and port, accepted from by every loop of a group.
///
/// The first socket binds exclusively, so that a second program (or a second start of this one)
/// fails with a sentence instead of silently taking half the connections; only then all are opened
/// to SO_REUSEPORT.
class Listener {
 public:
  /// Called on the loop's thread, within a turn.
  using Accepted = std::function<void(Loop& loop, StreamPointer stream)>;

  /// `address` is an IP literal. Throws Error (bad_option, or the system's code) naming it.
  Listener(LoopGroup& loops, const std::string& address, std::uint16_t port, Accepted accepted);
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  ~Listener();

  std::uint16_t port() const noexcept { return local_.port(); }
  const Address& address() const noexcept { return local_; }

  /// Begins accepting on that loop; before the loops run, or on the loop's thread.
  void start(std::size_t loop_index);
  /// Accepts what is queued on that loop, then closes its socket; on the loop's thread.
  void drain(std::size_t loop_index) noexcept;

 private:
  class Acceptor;

  Address local_;
  Accepted accepted_;
  std::vector<std::shared_ptr<Acceptor>> acceptors_;
};

}  // namespace hotline
