#include "http/admission.h"

#include <utility>

#include <hotline/http/observer.h>

namespace hotline::http {
namespace {

// So many that are not welcome get an answer at a time; the rest are just closed.
constexpr std::size_t most_sent_away = 1000;

AddressLimits::Limits address_limits(const ServerOptions& options) {
  AddressLimits::Limits limits;
  limits.connections = options.max_connections_per_address;
  limits.rate = options.connection_rate;
  limits.burst = options.connection_burst;
  return limits;
}

}  // namespace

Admission::Pointer Admission::make(const ServerOptions& options, TrustedPeers trusted) {
  return Pointer{new Admission{options, std::move(trusted)}};
}

Admission::Admission(const ServerOptions& options, TrustedPeers trusted)
    : most_connections_(options.max_connections),
      trusted_(std::move(trusted)),
      observer_(options.observer),
      limits_(address_limits(options)) {}

bool Admission::is_exempt(const Address& address) const noexcept {
  return address.bytes().empty() || address.is_loopback() || trusted_.trusts(address);
}

void Admission::give(Stream& stream, Place& place) noexcept {
  ++references_;
  stream.watch(&place);
}

bool Admission::expect(Stream& stream) noexcept {
  if (connections_.fetch_add(1) >= most_connections_) {
    --connections_;
    return false;
  }
  give(stream, expected_place_);
  return true;
}

Admission::Verdict Admission::admit(Stream& stream, bool named, TimePoint now) {
  stream.watch(nullptr);
  const auto& address = stream.remote_address();
  const bool counts = named ? !address.bytes().empty() : !is_exempt(address);
  if (counts) {
    const std::scoped_lock lock{mutex_};
    switch (limits_.open(address, now)) {
      case AddressLimits::Verdict::welcome: break;
      case AddressLimits::Verdict::too_many: return Verdict::too_many;
      case AddressLimits::Verdict::too_fast: return Verdict::too_fast;
    }
  }
  if (connections_.fetch_add(1) >= most_connections_) {
    --connections_;
    const std::scoped_lock lock{mutex_};
    if (counts) limits_.close(address);
    return Verdict::full;
  }
  give(stream, counts ? counted_place_ : exempt_place_);
  if (observer_) observer_->connection_opened(address);
  return Verdict::welcome;
}

bool Admission::send_away(Stream& stream) noexcept {
  if (sent_away_.fetch_add(1) >= most_sent_away) {
    --sent_away_;
    return false;
  }
  give(stream, sent_away_place_);
  return true;
}

void Admission::gone(Kind kind, const Address& remote) noexcept {
  if (kind == Kind::counted) {
    const std::scoped_lock lock{mutex_};
    limits_.close(remote);
  }
  --(kind == Kind::sent_away ? sent_away_ : connections_);
  if (observer_ && (kind == Kind::counted || kind == Kind::exempt)) {
    observer_->connection_closed(remote);
  }
  drop();
}

}  // namespace hotline::http
