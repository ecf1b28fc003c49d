#include "tools/log_line.h"

#include <gtest/gtest.h>

namespace hotline::tools {
namespace {

using namespace std::chrono_literals;
using namespace std::string_view_literals;

TEST(JsonEscaped, keeps_what_is_readable_and_escapes_the_rest) {
  EXPECT_EQ(json_escaped("plain /echo?x=1"), "plain /echo?x=1");
  EXPECT_EQ(json_escaped("grüße 電話 🕾"), "grüße 電話 🕾");
  EXPECT_EQ(json_escaped("a\"b\\c"), R"(a\"b\\c)");
  EXPECT_EQ(json_escaped("a\r\n\t\0\x1b[31m\x7f"sv),
            R"(a\u000d\u000a\u0009\u0000\u001b[31m\u007f)");
  EXPECT_EQ(json_escaped("\xc2\x9b"), R"(\u009b)") << "a control character of two bytes";
}

TEST(JsonEscaped, spells_out_bytes_that_are_no_text) {
  EXPECT_EQ(json_escaped("\xff|\xc3|\xe2\x82|\xc0\xaf|\xed\xa0\x80|\xf5\x80\x80\x80"),
            R"(\\xff|\\xc3|\\xe2\\x82|\\xc0\\xaf|\\xed\\xa0\\x80|\\xf5\\x80\\x80\\x80)");
  EXPECT_EQ(json_escaped("a\xe2\x82"), R"(a\\xe2\\x82)") << "cut off at the end";
}

TEST(JsonEscaped, cuts_what_is_long) {
  EXPECT_EQ(json_escaped("abcdef", 6), "abcdef");
  EXPECT_EQ(json_escaped("abcdefg", 6), "abcdef...");
  EXPECT_EQ(json_escaped("ééé", 3), "éé...");
}

TEST(LogLine, is_pairs_or_the_inside_of_an_object) {
  for (const auto format : {LogFormat::text, LogFormat::json}) {
    LogLine line{format, "request"};
    line.add("target", "/a b\"\n").add("status", 200).add("seconds", 1500us).add("seconds", 62s);
    EXPECT_EQ(line.text(),
              format == LogFormat::text
                  ? R"(request target="/a b\x22\x0a" status=200 seconds=0.001500 seconds=62.000000)"
                  : R"("event":"request","target":"/a b\"\u000a","status":200,)"
                    R"("seconds":0.001500,"seconds":62.000000)");
  }
}

}  // namespace
}  // namespace hotline::tools
