#include "net/network.h"

#include <algorithm>
#include <charconv>

#include <hotline/base/error.h>

namespace hotline {
namespace {

// Whether the first `prefix` bits are the same.
bool same_prefix(std::string_view a, std::string_view b, unsigned prefix) noexcept {
  const auto bytes = prefix / 8;
  if (a.substr(0, bytes) != b.substr(0, bytes)) return false;
  const auto bits = prefix % 8;
  if (bits == 0) return true;
  const auto mask = static_cast<unsigned char>(0xff << (8 - bits));
  return ((static_cast<unsigned char>(a[bytes]) ^ static_cast<unsigned char>(b[bytes])) & mask) ==
         0;
}

bool is_zero_behind(std::string_view bytes, unsigned prefix) noexcept {
  for (auto bit = prefix; bit < bytes.size() * 8; ++bit) {
    if ((static_cast<unsigned char>(bytes[bit / 8]) >> (7 - bit % 8)) & 1) return false;
  }
  return true;
}

}  // namespace

std::string_view unmapped_bytes(const Address& address) noexcept {
  static constexpr std::string_view mapped{"\0\0\0\0\0\0\0\0\0\0\xff\xff", 12};
  const auto bytes = address.bytes();
  return address.is_ipv6() && bytes.starts_with(mapped) ? bytes.substr(mapped.size()) : bytes;
}

std::optional<Network> Network::parse(std::string_view text) noexcept {
  const auto slash = text.find('/');
  const auto address = Address::parse(text.substr(0, slash), 0);
  if (!address) return std::nullopt;
  Network result;
  result.base_ = *address;
  const auto bytes = address->bytes();
  result.prefix_ = static_cast<unsigned>(bytes.size() * 8);
  if (slash != std::string_view::npos) {
    const auto digits = text.substr(slash + 1);
    unsigned prefix = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), prefix);
    if (error != std::errc{} || end != digits.data() + digits.size() || prefix > result.prefix_) {
      return std::nullopt;
    }
    result.prefix_ = prefix;
  }
  if (!is_zero_behind(bytes, result.prefix_)) return std::nullopt;
  return result;
}

bool Network::contains(const Address& address) const noexcept {
  const auto base = base_.bytes();
  const auto bytes = address.bytes();
  if (bytes.empty()) return false;
  if (bytes.size() == base.size() && same_prefix(bytes, base, prefix_)) return true;
  const auto short_bytes = unmapped_bytes(address);
  return short_bytes.size() == 4 && base.size() == 4 && same_prefix(short_bytes, base, prefix_);
}

TrustedPeers::TrustedPeers(const std::vector<std::string>& entries) {
  for (const auto& entry : entries) {
    if (entry == "unix") {
      unix_ = true;
      continue;
    }
    const auto network = Network::parse(entry);
    if (!network) {
      throw Error(Fault::bad_option,
                  "trusted_proxies: \"" + escaped(entry) +
                      "\" is neither an IP address, a network such as 10.0.0.0/8 (with no bits "
                      "behind its prefix) nor unix");
    }
    networks_.push_back(*network);
  }
}

bool TrustedPeers::trusts(const Address& address) const noexcept {
  if (address.is_unix()) return unix_;
  return std::any_of(networks_.begin(), networks_.end(),
                     [&](const Network& network) { return network.contains(address); });
}

}  // namespace hotline
