#include "websocket/observation.h"

#include <utility>

namespace hotline::websocket {

Observation::Observation(ConnectionObserver& observer, std::string_view target,
                         const Address& client, TimePoint now)
    : observer_(observer),
      traffic_(observer.traffic()),
      opened_at_(now),
      client_(client),
      target_(target.substr(0, most_target)) {}

void Observation::ponged(std::uint64_t number, TimePoint now) noexcept {
  if (number == 0 || number != ping_number_) return;
  ping_number_ = 0;
  observer_.round_trip(now - pinged_at_);
}

void Observation::ended(const ConnectionFacts& facts, const protocol::CloseStatus& status,
                        TimePoint now) noexcept {
  observer_.ended({.facts = facts,
                   .duration = now - opened_at_,
                   .messages_received = messages_received_,
                   .bytes_received = bytes_received_,
                   .messages_sent = messages_sent_,
                   .bytes_sent = bytes_sent_,
                   .status = status});
}

}  // namespace hotline::websocket
