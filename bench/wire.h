#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

// The few bytes of RFC 6455 that the benchmark's own programs need. They share nothing with the
// library on purpose: what is measured must not be measured by itself.
namespace hotline::bench {

inline constexpr std::uint8_t final_fragment = 0x80;
inline constexpr std::uint8_t opcode_bits = 0x0f;

enum Opcode : std::uint8_t {
  continuation = 0,
  text = 1,
  binary = 2,
  close = 8,
  ping = 9,
  pong = 10
};

inline constexpr std::size_t longest_header = 14;

// RFC 6455 section 1.3: this key has this answer, which saves the load generator the SHA-1.
inline constexpr const char* sample_key = "dGhlIHNhbXBsZSBub25jZQ==";
inline constexpr const char* sample_accept = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

struct FrameHeader {
  std::size_t size = 0;  // of the header, masking key included; 0 if more bytes are needed
  std::uint8_t first = 0;
  bool masked = false;
  std::uint32_t key = 0;  // in wire order
  std::uint64_t payload = 0;
};

inline std::uint64_t big_endian(const char* data, std::size_t size) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < size; ++i) {
    value = value << 8 | static_cast<std::uint8_t>(data[i]);
  }
  return value;
}

inline FrameHeader parse_header(const char* data, std::size_t size) {
  FrameHeader header;
  if (size < 2) return header;
  const auto second = static_cast<std::uint8_t>(data[1]);
  const std::uint8_t length = second & 0x7f;
  const std::size_t extension = length < 126 ? 0 : length == 126 ? 2 : 8;
  const std::size_t whole = 2 + extension + (second & 0x80 ? 4 : 0);
  if (size < whole) return header;
  header.first = static_cast<std::uint8_t>(data[0]);
  header.masked = (second & 0x80) != 0;
  header.payload = extension == 0 ? length : big_endian(data + 2, extension);
  if (header.masked) std::memcpy(&header.key, data + 2 + extension, 4);
  header.size = whole;
  return header;
}

// Writes an unmasked header (2, 4 or 10 bytes) and returns its size.
inline std::size_t write_header(char* out, std::uint8_t first, std::uint64_t payload) {
  out[0] = static_cast<char>(first);
  if (payload < 126) {
    out[1] = static_cast<char>(payload);
    return 2;
  }
  const std::size_t extension = payload < 65536 ? 2 : 8;
  out[1] = extension == 2 ? 126 : 127;
  for (std::size_t i = 0; i < extension; ++i) {
    out[2 + i] = static_cast<char>(payload >> (8 * (extension - 1 - i)));
  }
  return 2 + extension;
}

// Masks or unmasks from `from` to `to`, which may be the same place or lie a little before it: each
// step has loaded its bytes before it stores, and stores never pass what is still to be loaded.
inline void apply_mask(char* to, const char* from, std::size_t size, std::uint32_t key) {
  // Four 64-bit words at a time, as a vector type, so that it does not depend on the optimizer.
  using Words = std::uint64_t __attribute__((vector_size(32)));
  const std::uint64_t word_key = std::uint64_t{key} << 32 | key;
  const Words key_words{word_key, word_key, word_key, word_key};
  std::size_t i = 0;
  for (; i + sizeof(Words) <= size; i += sizeof(Words)) {
    Words words;
    std::memcpy(&words, from + i, sizeof words);
    words ^= key_words;
    std::memcpy(to + i, &words, sizeof words);
  }
  for (; i + 8 <= size; i += 8) {
    std::uint64_t word;
    std::memcpy(&word, from + i, 8);
    word ^= word_key;
    std::memcpy(to + i, &word, 8);
  }
  char key_bytes[4];
  std::memcpy(key_bytes, &key, 4);
  for (; i < size; ++i) to[i] = static_cast<char>(from[i] ^ key_bytes[i % 4]);
}

}  // namespace hotline::bench
