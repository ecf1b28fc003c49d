#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

#include <hotline/http/server.h>

#include "http/address_limits.h"
#include "net/network.h"

namespace hotline::http {

/// Who may connect, and who is connected. A connection counts until its socket closes, whoever has
/// it by then: a session, a handler that took it over, a line that still sends its last bytes.
///
/// For all threads. It stays until the last of its connections has closed, even if its owner lets
/// go before.
class Admission {
 public:
  enum class Verdict : std::uint8_t { welcome, full, too_many, too_fast };

  struct Release {
    void operator()(Admission* admission) const noexcept { admission->drop(); }
  };
  using Pointer = std::unique_ptr<Admission, Release>;

  /// `trusted` outlives it.
  static Pointer make(const ServerOptions& options, TrustedPeers trusted);
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;

  /// Counts a connection whose client is still to be named by PROXY protocol. False: full.
  bool expect(Stream& stream) noexcept;
  /// Counts a connection that is welcome. `named`: its address is what PROXY protocol said.
  Verdict admit(Stream& stream, bool named, TimePoint now);
  /// Counts one that gets an answer to the effect that it is not. False: there are too many of
  /// these.
  bool send_away(Stream& stream) noexcept;

  std::size_t connections() const noexcept { return connections_; }

 private:
  enum class Kind : std::uint8_t { expected, counted, exempt, sent_away };
  // What a connection is counted as: told when it ends.
  class Place final : public StreamWatcher {
   public:
    Place(Admission& admission, Kind kind) noexcept : admission_(admission), kind_(kind) {}
    void stream_gone(const Address& remote) noexcept override { admission_.gone(kind_, remote); }

   private:
    Admission& admission_;
    Kind kind_;
  };

  Admission(const ServerOptions& options, TrustedPeers trusted);
  ~Admission() = default;

  bool is_exempt(const Address& address) const noexcept;
  void give(Stream& stream, Place& place) noexcept;
  void gone(Kind kind, const Address& remote) noexcept;
  void drop() noexcept {
    if (--references_ == 0) delete this;
  }

  const std::size_t most_connections_;
  const TrustedPeers trusted_;
  const std::shared_ptr<ServerObserver> observer_;
  std::mutex mutex_;
  AddressLimits limits_;
  std::atomic<std::size_t> connections_ = 0;
  std::atomic<std::size_t> sent_away_ = 0;
  std::atomic<std::size_t> references_ = 1;
  Place expected_place_{*this, Kind::expected};
  Place counted_place_{*this, Kind::counted};
  Place exempt_place_{*this, Kind::exempt};
  Place sent_away_place_{*this, Kind::sent_away};
};

}  // namespace hotline::http
