#include "tools/units.h"

#include <gtest/gtest.h>

namespace hotline::tools {
namespace {

TEST(ParseSize, takes_units_and_refuses_the_rest) {
  EXPECT_EQ(parse_size("0"), 0u);
  EXPECT_EQ(parse_size("4096"), 4096u);
  EXPECT_EQ(parse_size("64k"), 65536u);
  EXPECT_EQ(parse_size("16M"), 16u << 20);
  EXPECT_EQ(parse_size("1G"), 1u << 30);
  for (const char* bad : {"", "k", "-1", "1.5M", "64kb", " 1", "1 ", "99999999999999999999",
                          "18446744073709551615k"}) {
    EXPECT_FALSE(parse_size(bad)) << bad;
  }
}

TEST(ParseDuration, takes_whole_numbers_with_their_units) {
  using namespace std::chrono_literals;
  EXPECT_EQ(parse_duration("0s"), 0ms);
  EXPECT_EQ(parse_duration("250ms"), 250ms);
  EXPECT_EQ(parse_duration("30s"), 30s);
  EXPECT_EQ(parse_duration("1m30s"), 90s);
  EXPECT_EQ(parse_duration("2h"), 2h);
  EXPECT_EQ(parse_duration("1d12h"), 36h);
  EXPECT_EQ(parse_duration("1s500ms"), 1500ms);
  for (const char* bad : {"", "30", "s", "-1s", "1.5s", "30 s", "30s ", "30S", "1s1s", "30s1m",
                          "1m30", "1week", "99999999999999999999s", "9999999999999d"}) {
    EXPECT_FALSE(parse_duration(bad)) << bad;
  }
}

TEST(ParseEndpoint, takes_literals_and_localhost) {
  EXPECT_EQ(parse_endpoint("127.0.0.1:80")->host, "127.0.0.1");
  EXPECT_EQ(parse_endpoint("localhost:9001")->port, 9001);
  EXPECT_EQ(parse_endpoint("localhost:9001")->host, "127.0.0.1");
  EXPECT_EQ(parse_endpoint("[::1]:8080")->host, "::1");
  for (const char* bad : {"", "8080", ":8080", "::1:8080", "[127.0.0.1]:80",
                          "127.0.0.1:", "127.0.0.1:65536", "example.org:80", "127.0.0.1:80x"}) {
    EXPECT_FALSE(parse_endpoint(bad)) << bad;
  }
}

}  // namespace
}  // namespace hotline::tools
