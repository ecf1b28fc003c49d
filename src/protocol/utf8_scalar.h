#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

/// UTF-8 byte by byte: the ends of texts, short pieces, and machines without vectors.
namespace hotline::protocol::scalar {

/// The length a lead byte announces; 0 for what cannot be one (continuations, C0, C1, F5 and
/// above).
constexpr std::size_t announced_length(std::uint8_t lead) noexcept {
  if (lead < 0x80) return 1;
  if (lead < 0xC2) return 0;
  if (lead < 0xE0) return 2;
  if (lead < 0xF0) return 3;
  return lead < 0xF5 ? 4 : 0;
}

/// Whether `second` may follow `lead`, which announces at least two bytes. It is here that overlong
/// forms, surrogates and what lies above U+10FFFF show (RFC 3629, 4).
constexpr bool may_follow(std::uint8_t lead, std::uint8_t second) noexcept {
  switch (lead) {
    case 0xE0: return second >= 0xA0 && second <= 0xBF;
    case 0xED: return second >= 0x80 && second <= 0x9F;
    case 0xF0: return second >= 0x90 && second <= 0xBF;
    case 0xF4: return second >= 0x80 && second <= 0x8F;
    default: return second >= 0x80 && second <= 0xBF;
  }
}

constexpr bool is_continuation(std::uint8_t byte) noexcept { return (byte & 0xC0) == 0x80; }

/// How many bytes at the end, 0 to 3, are the beginning of a code point that is not complete. The
/// bytes before them need not be valid, and neither need these.
inline std::size_t incomplete_tail(const char* text, std::size_t size) noexcept {
  for (std::size_t back = 1; back <= 3 && back <= size; ++back) {
    const auto byte = static_cast<std::uint8_t>(text[size - back]);
    if (is_continuation(byte)) continue;
    const std::size_t length = byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
    return length > back ? back : 0;
  }
  return 0;
}

/// Whether 0 to 3 bytes can still become one code point.
inline bool viable(const char* tail, std::size_t size) noexcept {
  if (size == 0) return true;
  const auto lead = static_cast<std::uint8_t>(tail[0]);
  if (announced_length(lead) <= size) return false;
  if (size > 1 && !may_follow(lead, static_cast<std::uint8_t>(tail[1]))) return false;
  return size < 3 || is_continuation(static_cast<std::uint8_t>(tail[2]));
}

/// The length of the longest front part that is valid and complete.
inline std::size_t valid_front(const char* text, std::size_t size) noexcept {
  std::size_t at = 0;
  while (at < size) {
    if (size - at >= 8) {
      std::uint64_t word;
      std::memcpy(&word, text + at, 8);
      if ((word & 0x8080808080808080U) == 0) {
        at += 8;
        continue;
      }
    }
    const auto lead = static_cast<std::uint8_t>(text[at]);
    const std::size_t length = announced_length(lead);
    if (length == 0 || length > size - at) return at;
    if (length > 1 && !may_follow(lead, static_cast<std::uint8_t>(text[at + 1]))) return at;
    for (std::size_t i = 2; i < length; ++i) {
      if (!is_continuation(static_cast<std::uint8_t>(text[at + i]))) return at;
    }
    at += length;
  }
  return at;
}

}  // namespace hotline::protocol::scalar
