#include "base/header_tokens.h"

#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hotline {
namespace {

using testing::ElementsAre;

std::vector<std::string_view> split(std::string_view list) {
  std::vector<std::string_view> elements;
  ListSplitter splitter{list};
  while (const auto element = splitter.next()) elements.push_back(*element);
  return elements;
}

TEST(HeaderTokens, ATokenHasCertainCharactersAndAtLeastOne) {
  EXPECT_TRUE(is_token("websocket"));
  EXPECT_TRUE(is_token("!#$%&'*+-.^_`|~09azAZ"));
  EXPECT_FALSE(is_token(""));
  EXPECT_FALSE(is_token("two words"));
  EXPECT_FALSE(is_token(std::string_view{"a\0b", 3}));
}

TEST(HeaderTokens, AFieldsValueHasNoControlBytesButTabs) {
  EXPECT_TRUE(is_field_value(""));
  EXPECT_TRUE(is_field_value(" a\tb \xc3\xa4"));
  for (const std::string_view text : {"a\r", "a\n", "\x7f", "\x1f"}) {
    EXPECT_FALSE(is_field_value(text));
  }
  EXPECT_FALSE(is_field_value(std::string_view{"a\0b", 3}));
}

TEST(HeaderTokens, EveryOtherCharacterIsNone) {
  const std::string_view good =
      "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  for (int c = 0; c < 256; ++c) {
    EXPECT_EQ(is_token_character(static_cast<char>(c)),
              good.find(static_cast<char>(c)) != std::string_view::npos)
        << c;
  }
}

TEST(HeaderTokens, CaseMattersForNoLetterButForAllElse) {
  EXPECT_TRUE(equals_ignoring_case("Sec-WebSocket-Key", "sec-websocket-KEY"));
  EXPECT_TRUE(equals_ignoring_case("", ""));
  EXPECT_FALSE(equals_ignoring_case("upgrade", "upgraded"));
  EXPECT_FALSE(equals_ignoring_case("@", "`"));
  EXPECT_FALSE(equals_ignoring_case("[", "{"));
}

TEST(HeaderTokens, BlanksAtTheEndsAreTrimmed) {
  EXPECT_EQ(trimmed(" \ta b\t "), "a b");
  EXPECT_EQ(trimmed(" \t"), "");
  EXPECT_EQ(trimmed("\na"), "\na");
}

TEST(HeaderTokens, AListIsSplitAtEachComma) {
  EXPECT_THAT(split("a, b\t,c"), ElementsAre("a", "b", "c"));
  EXPECT_THAT(split("a,,b,"), ElementsAre("a", "", "b", ""));
  EXPECT_THAT(split(""), ElementsAre(""));
}

TEST(HeaderTokens, AListContainsAnElementAsAWhole) {
  EXPECT_TRUE(list_contains("keep-alive, Upgrade", "upgrade"));
  EXPECT_TRUE(list_contains(",,upgrade", "Upgrade"));
  EXPECT_FALSE(list_contains("keep-alive, upgraded", "upgrade"));
  EXPECT_FALSE(list_contains("up grade", "upgrade"));
  EXPECT_FALSE(list_contains("a,,b", ""));
}

}  // namespace
}  // namespace hotline
