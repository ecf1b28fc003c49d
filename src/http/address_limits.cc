#include "http/address_limits.h"

#include <algorithm>
#include <chrono>

#include "net/network.h"

namespace hotline::http {
namespace {

// More than one for each that may be added: the table shrinks as it is used.
constexpr int looks_a_connection = 4;

}  // namespace

AddressLimits::Key AddressLimits::key_of(const Address& address) noexcept {
  const auto bytes = unmapped_bytes(address);
  Key key;
  key.ipv6 = bytes.size() == 16;
  for (const auto byte : bytes.substr(0, 8)) {
    key.bits = key.bits << 8 | static_cast<unsigned char>(byte);
  }
  return key;
}

double AddressLimits::tokens_at(const Client& client, TimePoint now) const noexcept {
  const auto seconds = std::chrono::duration<double>(now - client.refilled).count();
  return std::min<double>(limits_.burst, client.tokens + std::max(0.0, seconds) * limits_.rate);
}

AddressLimits::Verdict AddressLimits::open(const Address& address, TimePoint now) {
  forget_idle(now);
  const auto key = key_of(address);
  const auto [at, is_new] = clients_.try_emplace(key);
  auto& client = at->second;
  if (is_new) {
    client.tokens = limits_.burst;
    client.idle = idle_.insert(idle_.end(), key);
  } else {
    client.tokens = tokens_at(client, now);
  }
  client.refilled = now;
  if (client.tokens < 1) return Verdict::too_fast;
  client.tokens -= 1;
  if (client.connections == limits_.connections) return Verdict::too_many;
  if (client.connections++ == 0) idle_.erase(client.idle);
  return Verdict::welcome;
}

void AddressLimits::close(const Address& address) noexcept {
  const auto at = clients_.find(key_of(address));
  if (at == clients_.end() || --at->second.connections != 0) return;
  at->second.idle = idle_.insert(idle_.end(), at->first);
}

void AddressLimits::forget_idle(TimePoint now) noexcept {
  for (int looks = 0; looks < looks_a_connection && !idle_.empty(); ++looks) {
    const auto at = clients_.find(idle_.front());
    const bool refilled = tokens_at(at->second, now) >= limits_.burst;
    if (!refilled && idle_.size() < limits_.most_remembered) return;
    clients_.erase(at);
    idle_.pop_front();
  }
}

}  // namespace hotline::http
