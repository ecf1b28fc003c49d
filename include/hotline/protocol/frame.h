#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <hotline/protocol/opcode.h>

namespace hotline::protocol {

/// The frame header (RFC 6455, 5.2):
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-------+-+-------------+-------------------------------+
///     |F|R|R|R| opcode|M| Payload len |    Extended payload length    |
///     |I|S|S|S|  (4)  |A|     (7)     |            (16, if len is 126) |
///     |N|V|V|V|       |S|             |            (64, if len is 127) |
///     | |1|2|3|       |K|             |                               |
///     +-+-+-+-+-------+-+-------------+ - - - - - - - - - - - - - - - +
///     |                   ... the other 48 bits of the length         |
///     + - - - - - - - - - - - - - - - +-------------------------------+
///     |                               | Masking key, if MASK is set   |
///     +-------------------------------+-------------------------------+
///     |          Masking key          | Payload ...                   |
///     +-------------------------------+ - - - - - - - - - - - - - - - +
///
/// Lengths are big-endian, in the shortest form that holds them; the highest bit of the 64-bit form
/// is 0.
inline constexpr std::uint8_t fin_bit = 0x80;
inline constexpr std::uint8_t rsv1_bit = 0x40;
inline constexpr std::uint8_t rsv2_bit = 0x20;
inline constexpr std::uint8_t rsv3_bit = 0x10;
inline constexpr std::uint8_t opcode_bits = 0x0F;
inline constexpr std::uint8_t mask_bit = 0x80;
inline constexpr std::uint8_t length_bits = 0x7F;
inline constexpr std::uint8_t length_16 = 126;
inline constexpr std::uint8_t length_64 = 127;

inline constexpr std::size_t max_frame_header_size = 14;
inline constexpr std::size_t max_control_payload = 125;
inline constexpr std::size_t max_close_reason = max_control_payload - 2;

/// Byte i of a payload goes over the wire XOR-ed with key[i % 4] (RFC 6455, 5.3).
using MaskingKey = std::array<std::uint8_t, 4>;

/// What a header says. A masking key present sets MASK; the payload is not masked by this.
struct FrameHeader {
  bool fin = true;
  bool rsv1 = false;  ///< Left for permessage-deflate (RFC 7692, 6).
  Opcode opcode = Opcode::text;
  std::uint64_t payload_size = 0;
  std::optional<MaskingKey> key{};
};

/// Writes the header in its shortest form and returns its size, 2 to 14 bytes.
std::size_t encode(const FrameHeader& header, std::span<char, max_frame_header_size> out) noexcept;

}  // namespace hotline::protocol
