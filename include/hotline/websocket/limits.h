#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace hotline::websocket {

/// What a peer may ask of one connection. "No limit" is not a value: zero, and a time of more than
/// 365 days, is reported as an error (bad_option) where the limits are given. Times are looked at
/// every `ping_interval` or `idle_timeout`, whichever is less, and are exact to that.
struct Limits {
  /// Bytes of a message (after inflation). Beyond: 1009. Without it a peer fills the memory.
  std::uint64_t message_size = std::uint64_t{1} << 20;
  /// Frames of a message. Beyond: 1008. Tiny fragments cost more work than bytes.
  std::uint32_t fragments = 4096;
  /// From a message's first byte to its last, while it is being received. Beyond: 1008.
  std::chrono::milliseconds message_time{120'000};
  /// Silence after which a ping is sent: it keeps middleboxes from forgetting the connection.
  std::chrono::milliseconds ping_interval{20'000};
  /// Silence after that ping until the peer counts as vanished: 1011. A write that makes no
  /// progress for that long ends the connection too (1006). Without it a vanished peer would hold
  /// its memory for ever.
  std::chrono::milliseconds ping_timeout{20'000};
  /// No message either way for that long: 1001.
  std::chrono::milliseconds idle_timeout{24 * 3600 * 1000};
  /// How long a closing handshake may take, from close(): sending what still waits, and the answer.
  std::chrono::milliseconds close_grace{5'000};
};

}  // namespace hotline::websocket
