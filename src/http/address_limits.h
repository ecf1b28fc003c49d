#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>

#include <hotline/base/clock.h>
#include <hotline/net/address.h>

namespace hotline::http {

/// What one client may have: connections at a time, and new ones a second (a token bucket). A
/// client is an IPv4 address or an IPv6 /64, within which anybody has all addresses.
///
/// Remembers who has connections, and for the rest only whose bucket is not full again; of these no
/// more than `most_remembered`, the longest idle forgotten first. Not thread-safe.
class AddressLimits {
 public:
  enum class Verdict : std::uint8_t { welcome, too_many, too_fast };

  struct Limits {
    std::size_t connections = 1000;
    unsigned rate = 100;    // a second
    unsigned burst = 1000;  // at once
    std::size_t most_remembered = 65'536;
  };

  explicit AddressLimits(const Limits& limits) : limits_(limits) {}
  AddressLimits(const AddressLimits&) = delete;
  AddressLimits& operator=(const AddressLimits&) = delete;

  /// A new connection of that client. It counts if it is welcome, until close().
  Verdict open(const Address& address, TimePoint now);
  void close(const Address& address) noexcept;

  std::size_t size() const noexcept { return clients_.size(); }

 private:
  struct Key {
    std::uint64_t bits = 0;
    bool ipv6 = false;
    auto operator<=>(const Key&) const = default;
  };
  struct Client {
    std::size_t connections = 0;
    double tokens = 0;
    TimePoint refilled{};
    std::list<Key>::iterator idle{};  // valid while there are no connections
  };
  // Ordered, since an attacker who chooses addresses could make a hash table slow.
  using Clients = std::map<Key, Client>;

  static Key key_of(const Address& address) noexcept;
  double tokens_at(const Client& client, TimePoint now) const noexcept;
  void forget_idle(TimePoint now) noexcept;

  Limits limits_;
  Clients clients_;
  std::list<Key> idle_;  // without connections, the longest so first
};

}  // namespace hotline::http
