#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hotline/net/address.h>

namespace hotline {

/// An IP network: "10.0.0.0/8", "2001:db8::/32", or a single address.
class Network {
 public:
  /// Nothing if it is malformed, or has bits set behind the prefix.
  static std::optional<Network> parse(std::string_view text) noexcept;
  /// Ports do not matter. An IPv4 address is the same when it is mapped into IPv6 (RFC
  /// 4291 2.5.5.2).
  bool contains(const Address& address) const noexcept;

 private:
  Address base_;
  unsigned prefix_ = 0;  // bits
};

/// The four bytes of an IPv4 address, also of one that is mapped into IPv6, else all sixteen. Into
/// `address`.
std::string_view unmapped_bytes(const Address& address) noexcept;

/// Who is trusted to speak for others (ServerOptions::trusted_proxies).
class TrustedPeers {
 public:
  TrustedPeers() = default;
  /// Networks, and "unix". Throws Error (bad_option) that names the malformed one.
  explicit TrustedPeers(const std::vector<std::string>& entries);

  bool empty() const noexcept { return networks_.empty() && !unix_; }
  bool trusts(const Address& address) const noexcept;

 private:
  std::vector<Network> networks_;
  bool unix_ = false;
};

}  // namespace hotline
