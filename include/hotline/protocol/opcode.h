#pragma once

#include <cstdint>

namespace hotline::protocol {

/// What a frame is (RFC 6455, 5.2 and 11.8). All other values are reserved and refused.
enum class Opcode : std::uint8_t {
  continuation = 0x0,
  text = 0x1,
  binary = 0x2,
  close = 0x8,
  ping = 0x9,
  pong = 0xA,
};

/// Control frames may come between the fragments of a message, are never fragmented themselves and
/// carry at most 125 bytes (RFC 6455, 5.5).
[[nodiscard]] constexpr bool is_control(Opcode opcode) noexcept {
  return (static_cast<std::uint8_t>(opcode) & 0x8) != 0;
}

/// Which end of the connection one is. Clients mask what they send, servers never do
/// (RFC 6455, 5.1).
enum class Role : std::uint8_t { client, server };

}  // namespace hotline::protocol
