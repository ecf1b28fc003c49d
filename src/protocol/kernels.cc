#include "protocol/kernels.h"

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "protocol/utf8_scalar.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "protocol/kernels.cc"
#include <hwy/foreach_target.h>
//
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace hotline::protocol::kernels {
namespace HWY_NAMESPACE {
namespace {

// Where there are no vectors, or none of a size known here, words do.
#if HWY_TARGET == HWY_SCALAR || HWY_TARGET == HWY_EMU128 || HWY_HAVE_SCALABLE
#define HOTLINE_VECTORS 0
#else
#define HOTLINE_VECTORS 1
#endif

/// The key for data[offset].
HWY_INLINE std::uint32_t rotated(std::uint32_t key, std::size_t offset) {
  return word_of(std::bit_cast<MaskingKey>(key), offset);
}

#if !HOTLINE_VECTORS

void mask_bytes(char* data, std::size_t size, std::uint32_t key) {
  using Word = std::uint64_t;
  const std::size_t last = size - 8;
  const Word back = words::load<Word>(data + last) ^ words::twice(rotated(key, last));
  for (std::size_t at = 0; at + 8 <= size; at += 8) {
    words::store(words::load<Word>(data + at) ^ words::twice(key), data + at);
  }
  words::store(back, data + last);
}

bool unmask_and_validate_text(char* text, std::size_t size, std::uint32_t key) {
  // In pieces that stay in the first-level cache between the two passes.
  constexpr std::size_t piece = 4096;
  std::size_t valid = 0;
  for (std::size_t at = 0; at < size; at += piece) {
    const std::size_t end = size - at < piece ? size : at + piece;
    if (end - at < 16) {
      words::mask_short(text + at, end - at, key);
    } else {
      mask_bytes(text + at, end - at, key);
    }
    valid += scalar::valid_front(text + valid, end - valid);
  }
  return valid == size;
}

bool validate_text(const char* text, std::size_t size) {
  return scalar::valid_front(text, size) == size;
}

#else

namespace hn = hwy::HWY_NAMESPACE;

// The method is that of Keiser and Lemire, "Validating UTF-8 In Less Than One Instruction Per Byte"
// (2020): three table look-ups on the halves of a byte and of the one before it give each pair of
// bytes the set of errors it may be; what all three agree on is one.
constexpr std::uint8_t too_short = 1 << 0;       // a lead without a continuation
constexpr std::uint8_t too_long = 1 << 1;        // ASCII followed by a continuation
constexpr std::uint8_t overlong_3 = 1 << 2;      // E0 80 to E0 9F
constexpr std::uint8_t too_large = 1 << 3;       // F4 90 and above
constexpr std::uint8_t surrogate = 1 << 4;       // ED A0 to ED BF
constexpr std::uint8_t overlong_2 = 1 << 5;      // C0, C1
constexpr std::uint8_t too_large_1000 = 1 << 6;  // F5 80 and above
constexpr std::uint8_t overlong_4 = 1 << 6;      // F0 80 to F0 8F
constexpr std::uint8_t two_conts = 1 << 7;       // an error unless a longer lead stands before
constexpr std::uint8_t carry = too_short | too_long | two_conts;

alignas(16) constexpr std::uint8_t first_high[16] = {
    too_long,
    too_long,
    too_long,
    too_long,
    too_long,
    too_long,
    too_long,
    too_long,
    two_conts,
    two_conts,
    two_conts,
    two_conts,
    too_short | overlong_2,
    too_short,
    too_short | overlong_3 | surrogate,
    too_short | too_large | too_large_1000 | overlong_4};
alignas(16) constexpr std::uint8_t first_low[16] = {carry | overlong_3 | overlong_2 | overlong_4,
                                                    carry | overlong_2,
                                                    carry,
                                                    carry,
                                                    carry | too_large,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000 | surrogate,
                                                    carry | too_large | too_large_1000,
                                                    carry | too_large | too_large_1000};
alignas(16) constexpr std::uint8_t second_high[16] = {
    too_short,
    too_short,
    too_short,
    too_short,
    too_short,
    too_short,
    too_short,
    too_short,
    too_long | overlong_2 | two_conts | overlong_3 | too_large_1000 | overlong_4,
    too_long | overlong_2 | two_conts | overlong_3 | too_large,
    too_long | overlong_2 | two_conts | surrogate | too_large,
    too_long | overlong_2 | two_conts | surrogate | too_large,
    too_short,
    too_short,
    too_short,
    too_short};

// The largest byte that may stand in each of a vector's last places if the text may end there.
alignas(32) constexpr std::uint8_t largest_at_end[32] = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,  255,  255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 0xEF, 0xDF, 0xBF};

// Read from 16 + k on, it moves a block's bytes k places to the front; what is past the end is 0.
constexpr std::uint8_t moving[64] = {
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

using Wide = hn::CappedTag<std::uint8_t, 32>;
using Block = hn::Full128<std::uint8_t>;

template <class D>
struct Vectors {
  using V = hn::Vec<D>;
  static constexpr std::size_t size = hn::MaxLanes(D());

  static HWY_INLINE V at(const char* from) {
    return hn::LoadU(D(), reinterpret_cast<const std::uint8_t*>(from));
  }
  static HWY_INLINE void put(V bytes, char* to) {
    hn::StoreU(bytes, D(), reinterpret_cast<std::uint8_t*>(to));
  }
  static HWY_INLINE V repeated(std::uint32_t key) {
    return hn::BitCast(D(), hn::Set(hn::RepartitionToWide<hn::RepartitionToWide<D>>(), key));
  }
  static HWY_INLINE bool is_ascii(V bytes) {
    const hn::RebindToSigned<D> ds;
    return hn::AllFalse(ds, hn::Lt(hn::BitCast(ds, bytes), hn::Zero(ds)));
  }
  /// The bytes from `from` on, then zeros.
  static HWY_INLINE V moved_to_front(V bytes, std::size_t from) {
    const D d;
    const V by = hn::LoadDup128(d, moving + 16 + from);
    if constexpr (size == 16) {
      return hn::TableLookupBytesOr0(bytes, by);
    } else {
      const V upper = hn::ConcatUpperUpper(d, hn::Zero(d), bytes);
      const V rest = hn::TableLookupBytesOr0(upper, hn::LoadDup128(d, moving + from));
      return from < 16 ? hn::Or(hn::TableLookupBytesOr0(bytes, by), rest) : rest;
    }
  }
};

template <class D>
class Checker {
  using V = hn::Vec<D>;
  static constexpr std::size_t size = Vectors<D>::size;

 public:
  HWY_INLINE Checker()
      : first_high_{hn::LoadDup128(D(), first_high)},
        first_low_{hn::LoadDup128(D(), first_low)},
        second_high_{hn::LoadDup128(D(), second_high)},
        errors_{hn::Zero(D())},
        before_{hn::Zero(D())} {}

  /// Bytes that are not all ASCII.
  HWY_INLINE void any(V bytes) {
    const D d;
    const V one_before = shifted<1>(bytes);
    const V low_bits = hn::Set(d, 0x0F);
    const V special =
        hn::And(hn::And(hn::TableLookupBytes(first_high_, hn::ShiftRight<4>(one_before)),
                        hn::TableLookupBytes(first_low_, hn::And(one_before, low_bits))),
                hn::TableLookupBytes(second_high_, hn::ShiftRight<4>(bytes)));
    // The top bit where the second or third byte after a lead of three or four must stand.
    const V third = hn::SaturatedSub(shifted<2>(bytes), hn::Set(d, 0xE0 - 0x80));
    const V fourth = hn::SaturatedSub(shifted<3>(bytes), hn::Set(d, 0xF0 - 0x80));
    const V expected = hn::And(hn::Or(third, fourth), hn::Set(d, 0x80));
    errors_ = hn::Or(errors_, hn::Xor(expected, special));
    before_ = bytes;
  }

  /// Bytes that are all ASCII.
  HWY_INLINE void ascii(V bytes) {
    must_be_complete();
    before_ = bytes;
  }

  HWY_INLINE void must_be_complete() {
    const V largest = hn::LoadU(D(), largest_at_end + 32 - size);
    errors_ = hn::Or(errors_, hn::SaturatedSub(before_, largest));
  }

  HWY_INLINE bool good() const { return hn::AllTrue(D(), hn::Eq(errors_, hn::Zero(D()))); }

 private:
  /// The bytes that stand so many places before these.
  template <int places>
  HWY_INLINE V shifted(V bytes) const {
    const D d;
    if constexpr (size == 16) {
      return hn::CombineShiftRightBytes<16 - places>(d, bytes, before_);
    } else {
      return hn::CombineShiftRightBytes<16 - places>(d, bytes,
                                                     hn::ConcatLowerUpper(d, bytes, before_));
    }
  }

  V first_high_, first_low_, second_high_;
  V errors_;
  V before_;
};

/// At least one vector: loads the last one first, as the others overlap it.
template <class D>
HWY_INLINE void mask_vectors(char* data, std::size_t size, std::uint32_t key) {
  using V = Vectors<D>;
  const auto keys = V::repeated(key);
  const std::size_t last = size - V::size;
  const auto back = hn::Xor(V::at(data + last), V::repeated(rotated(key, last)));
  std::size_t at = 0;
  for (; at + 4 * V::size <= size; at += 4 * V::size) {
    const auto a = hn::Xor(V::at(data + at), keys);
    const auto b = hn::Xor(V::at(data + at + V::size), keys);
    const auto c = hn::Xor(V::at(data + at + 2 * V::size), keys);
    const auto e = hn::Xor(V::at(data + at + 3 * V::size), keys);
    V::put(a, data + at);
    V::put(b, data + at + V::size);
    V::put(c, data + at + 2 * V::size);
    V::put(e, data + at + 3 * V::size);
  }
  for (; at + V::size <= size; at += V::size) V::put(hn::Xor(V::at(data + at), keys), data + at);
  V::put(back, data + last);
}

/// At least one vector. Without `unmask` nothing is written.
template <class D, bool unmask>
HWY_INLINE bool check_vectors(char* text, std::size_t size, std::uint32_t key) {
  using V = Vectors<D>;
  const auto keys = V::repeated(key);
  const auto take = [&](std::size_t at) HWY_ATTR {
    if constexpr (!unmask) return V::at(text + at);
    const auto bytes = hn::Xor(V::at(text + at), keys);
    V::put(bytes, text + at);
    return bytes;
  };
  const std::size_t last = size - V::size;
  auto back = V::at(text + last);
  if constexpr (unmask) back = hn::Xor(back, V::repeated(rotated(key, last)));

  Checker<D> checker;
  std::size_t at = 0;
  for (; at + 4 * V::size <= size; at += 4 * V::size) {
    const auto a = take(at);
    const auto b = take(at + V::size);
    const auto c = take(at + 2 * V::size);
    const auto e = take(at + 3 * V::size);
    if (HWY_LIKELY(V::is_ascii(hn::Or(hn::Or(a, b), hn::Or(c, e))))) {
      checker.ascii(e);
    } else {
      checker.any(a);
      checker.any(b);
      checker.any(c);
      checker.any(e);
    }
  }
  for (; at + V::size <= size; at += V::size) {
    const auto bytes = take(at);
    V::is_ascii(bytes) ? checker.ascii(bytes) : checker.any(bytes);
  }
  if (at == size) {
    checker.must_be_complete();
  } else {
    if constexpr (unmask) V::put(back, text + last);
    const auto rest = V::moved_to_front(back, at - last);
    V::is_ascii(rest) ? checker.ascii(rest) : checker.any(rest);  // zeros follow the end
  }
  return checker.good();
}

void mask_bytes(char* data, std::size_t size, std::uint32_t key) {
  if (size < Vectors<Wide>::size) return mask_vectors<Block>(data, size, key);
  mask_vectors<Wide>(data, size, key);
}

template <bool unmask>
HWY_INLINE bool check(char* text, std::size_t size, std::uint32_t key) {
  if (size < Vectors<Wide>::size) return check_vectors<Block, unmask>(text, size, key);
  return check_vectors<Wide, unmask>(text, size, key);
}

bool unmask_and_validate_text(char* text, std::size_t size, std::uint32_t key) {
  return check<true>(text, size, key);
}

bool validate_text(const char* text, std::size_t size) {
  return check<false>(const_cast<char*>(text), size, 0);
}

#endif

#undef HOTLINE_VECTORS

}  // namespace
}  // namespace HWY_NAMESPACE
}  // namespace hotline::protocol::kernels
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace hotline::protocol::kernels {
namespace {

HWY_EXPORT(mask_bytes);
HWY_EXPORT(unmask_and_validate_text);
HWY_EXPORT(validate_text);

// What the table has until somebody needs it.
void choose_and_mask(char* data, std::size_t size, std::uint32_t key) {
  choose();
  mask(data, size, key);
}

bool choose_and_unmask(char* text, std::size_t size, std::uint32_t key) {
  choose();
  return unmask_and_validate(text, size, key);
}

bool choose_and_validate(const char* text, std::size_t size) {
  choose();
  return validate(text, size);
}

}  // namespace

constinit Table table{choose_and_mask, choose_and_unmask, choose_and_validate};

// HWY_DYNAMIC_POINTER is of later versions.
#define HOTLINE_CHOSEN(name) &HWY_DYNAMIC_DISPATCH(name)

void choose() noexcept {
  hwy::GetChosenTarget().Update(hwy::SupportedTargets());
  table.mask.store(HOTLINE_CHOSEN(mask_bytes), std::memory_order_relaxed);
  table.unmask_and_validate.store(HOTLINE_CHOSEN(unmask_and_validate_text),
                                  std::memory_order_relaxed);
  table.validate.store(HOTLINE_CHOSEN(validate_text), std::memory_order_relaxed);
}

}  // namespace hotline::protocol::kernels
#endif
