#include "protocol/mask.h"

#include <cstdint>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/on_each_target.h"

namespace hotline::protocol {
namespace {

constexpr MaskingKey key{0x01, 0xF2, 0x33, 0xC4};

char at(std::size_t i) { return static_cast<char>(i * 37 + 11); }

using Mask = OnEachTarget;

TEST_P(Mask, EachByteMeetsItsByteOfTheKeyAtEveryLengthPhaseAndAlignment) {
  for (std::size_t size = 0; size <= 300; ++size) {
    for (std::size_t phase = 0; phase < 4; ++phase) {
      for (std::size_t offset = 0; offset < 4; ++offset) {
        std::vector<char> data(offset + size);  // of exactly that size: beyond is not ours
        for (std::size_t i = 0; i < data.size(); ++i) data[i] = at(i);
        mask(std::span{data}.subspan(offset), key, phase);
        for (std::size_t i = 0; i < data.size(); ++i) {
          const char expected =
              i < offset ? at(i) : static_cast<char>(at(i) ^ key[(i - offset + phase) % 4]);
          ASSERT_EQ(data[i], expected) << "size " << size << ", phase " << phase << ", byte " << i;
        }
      }
    }
  }
}

TEST_P(Mask, WhatIsBehindIsLeftAlone) {
  for (std::size_t size = 0; size <= 140; ++size) {
    std::vector<char> data(200, 'x');
    mask(std::span{data}.first(size), key);
    for (std::size_t i = size; i < data.size(); ++i) ASSERT_EQ(data[i], 'x') << size;
  }
}

TEST_P(Mask, MaskingInPiecesIsMaskingAtOnce) {
  for (std::size_t size = 0; size <= 130; ++size) {
    std::vector<char> whole(size, 'm');
    mask(whole, key);
    for (std::size_t cut = 0; cut <= size; ++cut) {
      std::vector<char> pieces(size, 'm');
      mask(std::span{pieces}.first(cut), key);
      mask(std::span{pieces}.subspan(cut), key, cut);
      ASSERT_EQ(pieces, whole) << "cut at " << cut << " of " << size;
    }
  }
}

TEST_P(Mask, AKeyOfZerosChangesNothing) {
  std::vector<char> data(300, 'z');
  mask(data, MaskingKey{}, 3);
  EXPECT_EQ(data, std::vector<char>(300, 'z'));
}

TEST_P(Mask, NothingAtAllMayBeMasked) { mask({}, key); }

INSTANTIATE_TEST_SUITE_P(All, Mask, testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         target_name);

}  // namespace
}  // namespace hotline::protocol
