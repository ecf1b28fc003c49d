#include "protocol/utf8.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/mask.h"
#include "protocol/on_each_target.h"

namespace hotline::protocol {
namespace {

// The reference: decodes, then looks at the number. Slow, and shares nothing with what it judges.
bool is_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const unsigned lead = static_cast<std::uint8_t>(text[at]);
    const std::size_t length = lead < 0x80   ? 1
                               : lead < 0xC0 ? 0
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF8 ? 4
                                             : 0;
    if (length == 0 || text.size() - at < length) return false;
    unsigned number = length == 1 ? lead : lead & (0x7FU >> length);
    for (std::size_t i = 1; i < length; ++i) {
      const unsigned byte = static_cast<std::uint8_t>(text[at + i]);
      if (byte >> 6 != 2) return false;
      number = number << 6 | (byte & 0x3F);
    }
    constexpr std::array<unsigned, 5> smallest{0, 0, 0x80, 0x800, 0x10000};
    if (number < smallest[length] || number > 0x10FFFF) return false;
    if (number >= 0xD800 && number <= 0xDFFF) return false;
    at += length;
  }
  return true;
}

// Whether some continuation makes it valid: each kind of second byte is tried.
bool is_mendable(std::string_view text) {
  if (is_utf8(text)) return true;
  for (const char second : {'\x80', '\x90', '\xA0'}) {
    std::string longer{text};
    longer += second;
    for (int more = 0; more < 3; ++more, longer += '\x80') {
      if (is_utf8(longer)) return true;
    }
  }
  return false;
}

// Where the first byte stands that nothing behind it can mend.
std::optional<std::size_t> first_bad(std::string_view text) {
  for (std::size_t size = 1; size <= text.size(); ++size) {
    // All but the last few bytes were looked at before.
    if (!is_mendable(text.substr(0, size))) return size - 1;
  }
  return std::nullopt;
}

std::string number(std::uint_fast32_t code) {
  std::string text;
  const auto put = [&](std::uint_fast32_t byte) { text += static_cast<char>(byte); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xC0 | code >> 6), put(0x80 | (code & 0x3F));
  } else if (code < 0x10000) {
    put(0xE0 | code >> 12), put(0x80 | (code >> 6 & 0x3F)), put(0x80 | (code & 0x3F));
  } else {
    put(0xF0 | code >> 18), put(0x80 | (code >> 12 & 0x3F)), put(0x80 | (code >> 6 & 0x3F)),
        put(0x80 | (code & 0x3F));
  }
  return text;
}

std::string random_text(std::mt19937& random, std::size_t size) {
  std::string text;
  while (text.size() < size) {
    switch (random() % 6) {
      case 0: text += number(0x80 + random() % 0x780); break;
      case 1: text += number(0x800 + random() % 0xD000); break;
      case 2: text += number(0xE000 + random() % 0x2000); break;
      case 3: text += number(0x10000 + random() % 0x100000); break;
      default: text.append(random() % 40, static_cast<char>('a' + random() % 26));
    }
  }
  return text;
}

// The bytes at the edges of every rule.
constexpr std::array<std::uint8_t, 25> edges{0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0,
                                             0xC1, 0xC2, 0xDF, 0xE0, 0xE1, 0xEC, 0xED, 0xEE, 0xEF,
                                             0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xF8, 0xFF};

constexpr MaskingKey key{0x9A, 0x01, 0xFF, 0x40};

bool unmasked_and_valid(std::string text) {
  const std::string expected = text;
  mask(text, key, 1);
  const bool good = unmask_and_validate(text, 0, key, 1, true);
  if (good) {
    EXPECT_EQ(text, expected);
  }
  return good;
}

using Utf8 = OnEachTarget;

TEST_P(Utf8, AllOfOneAndTwoBytesAtEveryPlaceOfATextAreAsTheReferenceHasThem) {
  for (unsigned pair = 0; pair < 0x10000; ++pair) {
    const char bytes[2] = {static_cast<char>(pair >> 8), static_cast<char>(pair)};
    ASSERT_EQ(valid_utf8(bytes), is_utf8({bytes, 2})) << std::hex << pair;
    ASSERT_EQ(valid_utf8(std::span{bytes}.first(1)), is_utf8({bytes, 1})) << std::hex << pair;
    // Across the boundaries of vectors, and at the end of a text.
    for (const std::size_t at : {15U, 31U, 32U, 45U}) {
      std::array<char, 47> text;
      text.fill('a');
      text[at] = bytes[0];
      text[at + 1] = bytes[1];
      ASSERT_EQ(valid_utf8(text), is_utf8({bytes, 2})) << std::hex << pair << " at " << at;
    }
  }
}

TEST_P(Utf8, AllOfThreeBytesAreAsTheReferenceHasThem) {
  std::array<char, 40> text;
  text.fill('a');
  for (unsigned bytes = 0; bytes < 0x1000000; ++bytes) {
    text[30] = static_cast<char>(bytes >> 16);
    text[31] = static_cast<char>(bytes >> 8);
    text[32] = static_cast<char>(bytes);
    ASSERT_EQ(valid_utf8(text), is_utf8({&text[30], 3})) << std::hex << bytes;
  }
}

TEST_P(Utf8, AllOfFourBytesAtTheEdgesOfTheRulesAreAsTheReferenceHasThem) {
  std::array<char, 40> text;
  for (const std::size_t at : {0U, 14U, 29U, 36U}) {
    text.fill('a');
    for (const auto a : edges) {
      for (const auto b : edges) {
        for (const auto c : edges) {
          for (const auto d : edges) {
            text[at] = static_cast<char>(a);
            text[at + 1] = static_cast<char>(b);
            text[at + 2] = static_cast<char>(c);
            text[at + 3] = static_cast<char>(d);
            ASSERT_EQ(valid_utf8(text), is_utf8({&text[at], 4}))
                << std::hex << +a << ' ' << +b << ' ' << +c << ' ' << +d << " at " << at;
          }
        }
      }
    }
  }
}

TEST_P(Utf8, EveryCodePointIsValidAndNoPartOfOneIs) {
  std::string all;
  for (std::uint_fast32_t code = 0; code <= 0x10FFFF; code += code < 0x3000 ? 1 : 97) {
    if (code >= 0xD800 && code <= 0xDFFF) continue;
    const std::string one = number(code);
    ASSERT_TRUE(valid_utf8(one)) << code;
    for (std::size_t size = 1; size < one.size(); ++size) {
      ASSERT_FALSE(valid_utf8(std::span{one}.first(size))) << code;
    }
    all += one;
  }
  EXPECT_TRUE(valid_utf8(all));
  EXPECT_TRUE(unmasked_and_valid(all));
  all.pop_back();
  EXPECT_FALSE(valid_utf8(all));
  EXPECT_FALSE(unmasked_and_valid(all));
}

TEST_P(Utf8, OneBadByteIsSeenWhereverItStandsInATextOfAnyLength) {
  std::mt19937 random{7};
  for (std::size_t size = 0; size <= 300; ++size) {
    for (int round = 0; round < 12; ++round) {
      std::string text = round % 2 == 0 ? std::string(size, 'a') : random_text(random, size);
      ASSERT_TRUE(valid_utf8(text));
      ASSERT_TRUE(unmasked_and_valid(text));
      if (text.empty()) continue;
      text[random() % text.size()] = static_cast<char>(edges[random() % edges.size()]);
      ASSERT_EQ(valid_utf8(text), is_utf8(text)) << testing::PrintToString(text);
      ASSERT_EQ(unmasked_and_valid(text), is_utf8(text)) << testing::PrintToString(text);
    }
  }
}

TEST_P(Utf8, ATextCutAnywhereIsUnmaskedAsAWhole) {
  std::mt19937 random{11};
  for (int round = 0; round < 2000; ++round) {
    const std::string expected = random_text(random, random() % 200);
    std::string text = expected;
    // Frames with keys of their own, each received in pieces.
    for (std::size_t done = 0, frame = 0; done < text.size() || frame == 0; frame = done) {
      const MaskingKey its_key = std::bit_cast<MaskingKey>(static_cast<std::uint32_t>(random()));
      const std::size_t end = std::min(text.size(), frame + 1 + random() % 64);
      mask(std::span{text}.subspan(frame, end - frame), its_key);
      do {
        const std::size_t next = std::min(end, done + 1 + random() % 20);
        ASSERT_TRUE(unmask_and_validate(std::span{text}.first(next), done, its_key, done - frame,
                                        next == text.size()));
        done = next;
      } while (done < end);
      if (text.empty()) break;
    }
    ASSERT_EQ(text, expected);
  }
}

TEST_P(Utf8, ABadByteIsReportedWithThePieceItComesIn) {
  std::mt19937 random{13};
  for (int round = 0; round < 3000; ++round) {
    std::string text = random_text(random, 1 + random() % 60);
    const std::size_t where = random() % text.size();
    text[where] = static_cast<char>(edges[random() % edges.size()]);
    const std::optional<std::size_t> bad = first_bad(text);

    const auto judge = [&](const char* who, auto piece_is_good) {
      for (std::size_t done = 0; done < text.size();) {
        const std::size_t next = std::min(text.size(), done + 1 + random() % 9);
        const bool good = piece_is_good(done, next);
        ASSERT_EQ(good, !bad || *bad >= next) << who << ' ' << testing::PrintToString(text);
        if (!good) return;
        done = next;
      }
    };
    std::string masked = text;
    mask(masked, key);
    judge("masked", [&](std::size_t done, std::size_t next) {
      return unmask_and_validate(std::span{masked}.first(next), done, key, done, false);
    });
    judge("not masked", [&](std::size_t done, std::size_t next) {
      return validate_more(std::span{text}.first(next), done, false);
    });
    Utf8Validator validator;
    judge("in pieces", [&](std::size_t done, std::size_t next) {
      return validator.feed(std::span{text}.subspan(done, next - done));
    });
  }
}

TEST_P(Utf8, ATextMayNotEndWithinACodePoint) {
  for (const std::string& whole : {number(0xE9), number(0x20AC), number(0x1F600)}) {
    for (const std::size_t before : {0U, 10U, 31U, 64U}) {
      for (std::size_t size = 1; size <= whole.size(); ++size) {
        std::string text = std::string(before, 'a') + whole.substr(0, size);
        const bool complete = size == whole.size();
        EXPECT_TRUE(validate_more(text, 0, false));
        EXPECT_EQ(validate_more(text, 0, true), complete);
        EXPECT_EQ(validate_more(text, text.size(), true), complete);
        Utf8Validator validator;
        EXPECT_TRUE(validator.feed(text));
        EXPECT_EQ(validator.complete(), complete);
        mask(text, key);
        EXPECT_TRUE(unmask_and_validate(text, 0, key, 0, false));
        EXPECT_EQ(unmask_and_validate(text, text.size(), key, text.size(), true), complete);
      }
    }
  }
}

TEST_P(Utf8, ACutIsMadeBetweenCodePointsAndBeforeWhatIsNoText) {
  const std::string text = "ab" + number(0x20AC) + "c";
  EXPECT_EQ(cut_to_valid(text, 100), text);
  EXPECT_EQ(cut_to_valid(text, 5), "ab" + number(0x20AC));
  EXPECT_EQ(cut_to_valid(text, 4), "ab");
  EXPECT_EQ(cut_to_valid(text, 3), "ab");
  EXPECT_EQ(cut_to_valid("good\xFF"
                         "bad",
                         100),
            "good");
  EXPECT_EQ(cut_to_valid("", 0), "");
}

INSTANTIATE_TEST_SUITE_P(All, Utf8, testing::ValuesIn(hwy::SupportedAndGeneratedTargets()),
                         target_name);

}  // namespace
}  // namespace hotline::protocol
