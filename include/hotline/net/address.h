#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

struct sockaddr;

namespace hotline {

/// An IP address and port; or just "unix", for an end of a unix socket; or nothing (an in-memory
/// stream). A small value.
class Address {
 public:
  Address() = default;
  /// From what the system filled in; other families than IPv4, IPv6 and unix give an empty Address.
  static Address from(const sockaddr& address) noexcept;
  /// From four bytes of IPv4 or sixteen of IPv6, in network order; else an empty one.
  static Address from_bytes(std::string_view bytes, std::uint16_t port) noexcept;
  /// Somewhere on this machine, behind a unix socket.
  static Address unix_socket() noexcept;
  /// From an IPv4 or IPv6 literal without brackets; nothing if it is neither.
  static std::optional<Address> parse(std::string_view literal, std::uint16_t port) noexcept;

  bool empty() const noexcept { return size_ == 0 && !unix_; }
  bool is_unix() const noexcept { return unix_; }
  bool is_ipv6() const noexcept { return size_ == 16; }
  bool is_loopback() const noexcept;
  std::uint16_t port() const noexcept { return port_; }
  /// "192.0.2.1", "2001:db8::1" or "unix"; "" if empty.
  std::string host() const;
  /// "192.0.2.1:80", "[2001:db8::1]:80" or "unix"; "-" if empty.
  std::string to_string() const;
  /// The four or sixteen bytes, in network order; none of a unix socket.
  std::string_view bytes() const noexcept {
    return {reinterpret_cast<const char*>(bytes_.data()), size_};
  }

  friend bool operator==(const Address&, const Address&) = default;

 private:
  std::array<std::uint8_t, 16> bytes_{};
  std::uint16_t port_ = 0;
  std::uint8_t size_ = 0;
  bool unix_ = false;
};

}  // namespace hotline
