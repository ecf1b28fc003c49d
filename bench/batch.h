#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <random>
#include <string>

#include "wire.h"

namespace hotline::bench {

enum class Payload { binary, ascii, utf8 };

// The messages a connection sends again and again: their frames, masked, and what they say.
struct Batch {
  std::string wire;
  std::string plain;
  std::size_t size = 0;   // of each message
  std::size_t count = 0;  // of messages
  std::uint8_t opcode = binary;
};

using Random = std::mt19937_64;

inline std::uint8_t random_byte(Random& random, unsigned first, unsigned last) {
  return static_cast<std::uint8_t>(first + random() % (last - first + 1));
}

inline void append_character(std::string& text, std::uint32_t code_point) {
  const auto trailing = [](std::uint32_t bits) { return static_cast<char>(0x80 | (bits & 0x3f)); };
  if (code_point < 0x80) {
    text += static_cast<char>(code_point);
  } else if (code_point < 0x800) {
    text += static_cast<char>(0xc0 | code_point >> 6);
    text += trailing(code_point);
  } else {
    text += static_cast<char>(0xe0 | code_point >> 12);
    text += trailing(code_point >> 6);
    text += trailing(code_point);
  }
}

// Exactly `size` bytes. `utf8` is two- and three-byte characters in random order.
inline void append_payload(std::string& plain, Payload kind, std::size_t size, Random& random) {
  const std::size_t end = plain.size() + size;
  while (plain.size() < end) {
    const std::size_t left = end - plain.size();
    if (kind == Payload::binary) {
      plain += static_cast<char>(random_byte(random, 0, 255));
    } else if (kind == Payload::ascii || left == 1) {
      append_character(plain, random_byte(random, ' ', '~'));
    } else if (left == 2 || left == 4 || random() % 2 == 0) {
      append_character(plain, 0x400 + random_byte(random, 0, 255));  // Cyrillic
    } else {
      append_character(plain, 0x4e00 + static_cast<std::uint32_t>(random() % 0x5000));  // CJK
    }
  }
}

// The same seed gives the same batch, masking keys included.
inline Batch make_batch(Payload kind, std::size_t size, std::size_t count, std::uint64_t seed) {
  Random random(seed);
  Batch batch;
  batch.size = size;
  batch.count = count;
  batch.opcode = kind == Payload::binary ? binary : text;
  batch.plain.reserve(size * count);
  batch.wire.reserve((size + longest_header) * count);
  for (std::size_t i = 0; i < count; ++i) {
    append_payload(batch.plain, kind, size, random);
    char header[longest_header];
    std::size_t header_size = write_header(header, final_fragment | batch.opcode, size);
    header[1] = static_cast<char>(header[1] | 0x80);
    const auto key = static_cast<std::uint32_t>(random());
    std::memcpy(header + header_size, &key, 4);
    header_size += 4;
    batch.wire.append(header, header_size);
    const std::size_t at = batch.wire.size();
    batch.wire.resize(at + size);
    apply_mask(batch.wire.data() + at, batch.plain.data() + i * size, size, key);
  }
  return batch;
}

}  // namespace hotline::bench
