#include "tools/json_text.h"

#include <gtest/gtest.h>

#include "tools/terminal_text.h"

namespace hotline::tools {
namespace {

TEST(IndentedJson, puts_an_element_on_a_line) {
  EXPECT_EQ(indented_json(R"({"a":[1,2,{"b":null}],"c":{},"d":[]})"),
            "{\n"
            "  \"a\": [\n"
            "    1,\n"
            "    2,\n"
            "    {\n"
            "      \"b\": null\n"
            "    }\n"
            "  ],\n"
            "  \"c\": {},\n"
            "  \"d\": []\n"
            "}");
}

TEST(IndentedJson, keeps_tokens_as_they_were_written) {
  EXPECT_EQ(indented_json(" 1.50e+400\n"), "1.50e+400");
  EXPECT_EQ(indented_json("-0"), "-0");
  EXPECT_EQ(indented_json("123456789012345678901234567890"), "123456789012345678901234567890");
  EXPECT_EQ(indented_json(R"("\u00e9 \" \\ é")"), R"("\u00e9 \" \\ é")");
  EXPECT_EQ(indented_json(R"({"b":true,"a":false,"b":1})"),
            "{\n  \"b\": true,\n  \"a\": false,\n  \"b\": 1\n}");
}

TEST(IndentedJson, says_no_to_what_is_not_json) {
  for (const char* bad :
       {"",        " ",        "hello", "{",          "}",           "[1,]", "[,1]",   "[1 2]",
        "{\"a\"}", "{\"a\":}", "{a:1}", "{\"a\":1,}", "01",          "1.",   ".5",     "+1",
        "1e",      "-",        "\"",    "\"\\x\"",    "\"\\u12g4\"", "\"\\", "\"\t\"", "nul",
        "truely",  "1 1",      "[1]]",  "[1}",        "'a'"}) {
    EXPECT_FALSE(indented_json(bad)) << bad;
  }
}

TEST(IndentedJson, bears_any_depth) {
  EXPECT_TRUE(indented_json(std::string(1000, '[') + "1" + std::string(1000, ']')));
  EXPECT_FALSE(indented_json(std::string(1'000'000, '[')));
}

TEST(IndentedJson, does_not_become_a_thousand_times_as_much) {
  std::string zeros;
  for (int i = 0; i < 20'000; ++i) zeros += "0,";
  EXPECT_TRUE(indented_json("[" + zeros + "0]"));
  EXPECT_FALSE(indented_json(std::string(900, '[') + zeros + "0" + std::string(900, ']')));
}

TEST(IndentedJson, colours_the_kinds) {
  const JsonColours marks{"<k>", "<t>", "<n>", "<w>", "</>", nullptr};
  EXPECT_EQ(indented_json(R"({"a":["x",1,true]})", marks),
            "{\n  <k>\"a\"</>: [\n    <t>\"x\"</>,\n    <n>1</>,\n    <w>true</>\n  ]\n}");
}

TEST(IndentedJson, escapes_its_tokens_where_that_is_wanted) {
  auto colours = no_colours;
  colours.token = for_terminal;
  EXPECT_EQ(indented_json("[\"\xc2\x9b\"]", colours), "[\n  \"\\u{9b}\"\n]");
}

}  // namespace
}  // namespace hotline::tools
