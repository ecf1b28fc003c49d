#pragma once

#include <atomic>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include <hotline/protocol/frame.h>

#include "protocol/utf8_scalar.h"

/// The loops over bytes, in the best form that the processor has. Their key is a word: four bytes
/// as they stand in memory, the first one for the first byte of the data.
namespace hotline::protocol::kernels {

/// The key for bytes from position `phase` of a payload on.
inline std::uint32_t word_of(MaskingKey key, std::size_t phase) noexcept {
  const auto word = std::bit_cast<std::uint32_t>(key);
  const int bits = static_cast<int>(phase % 4) * 8;
  return std::endian::native == std::endian::little ? std::rotr(word, bits) : std::rotl(word, bits);
}

/// What a kind of processor has; all of it for 16 bytes and more. Calling through pointers of our
/// own costs 1 ns less than Highway's dispatch, of the 5 to 7 ns that a small message takes.
struct Table {
  std::atomic<void (*)(char* data, std::size_t size, std::uint32_t key)> mask;
  std::atomic<bool (*)(char* text, std::size_t size, std::uint32_t key)> unmask_and_validate;
  std::atomic<bool (*)(const char* text, std::size_t size)> validate;
};
extern Table table;

/// Fills the table for the targets that Highway supports now. Needs no calling but in tests, which
/// have changed these.
void choose() noexcept;

namespace words {

template <class Word>
Word load(const char* from) noexcept {
  Word word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

template <class Word>
void store(Word word, char* to) noexcept {
  std::memcpy(to, &word, sizeof word);
}

inline std::uint64_t twice(std::uint32_t key) noexcept { return key * std::uint64_t{0x100000001}; }

/// Masks size / 2 to size bytes with two words that overlap: both are loaded before one is stored.
/// Returns the bits that are set in any byte.
template <class Word>
std::uint64_t mask_with_two(char* data, std::size_t size, std::uint32_t key) noexcept {
  const std::size_t last = size - sizeof(Word);
  const std::uint32_t last_key = word_of(std::bit_cast<MaskingKey>(key), last);
  const Word front = load<Word>(data) ^ static_cast<Word>(twice(key));
  const Word back = load<Word>(data + last) ^ static_cast<Word>(twice(last_key));
  store(front, data);
  store(back, data + last);
  return std::uint64_t{front} | back;
}

/// Masks fewer than 16 bytes. Returns the bits that are set in any byte.
inline std::uint64_t mask_short(char* data, std::size_t size, std::uint32_t key) noexcept {
  if (size >= 8) return mask_with_two<std::uint64_t>(data, size, key);
  if (size >= 4) return mask_with_two<std::uint32_t>(data, size, key);
  const auto bytes = std::bit_cast<MaskingKey>(key);
  std::uint64_t any = 0;
  for (std::size_t i = 0; i < size; ++i) {
    data[i] = static_cast<char>(data[i] ^ bytes[i]);
    any |= static_cast<std::uint8_t>(data[i]);
  }
  return any;
}

}  // namespace words

[[gnu::always_inline]] inline void mask(char* data, std::size_t size, std::uint32_t key) noexcept {
  if (size < 16) {
    words::mask_short(data, size, key);
  } else {
    table.mask.load(std::memory_order_relaxed)(data, size, key);
  }
}

/// Unmasks, and says whether the result is a valid and complete text.
[[gnu::always_inline]] inline bool unmask_and_validate(char* text, std::size_t size,
                                                       std::uint32_t key) noexcept {
  if (size >= 16) return table.unmask_and_validate.load(std::memory_order_relaxed)(text, size, key);
  const bool ascii = (words::mask_short(text, size, key) & 0x8080808080808080U) == 0;
  return ascii || scalar::valid_front(text, size) == size;
}

inline bool validate(const char* text, std::size_t size) noexcept {
  if (size >= 16) return table.validate.load(std::memory_order_relaxed)(text, size);
  return scalar::valid_front(text, size) == size;
}

}  // namespace hotline::protocol::kernels
