#include "websocket/origin.h"

#include <gtest/gtest.h>

namespace hotline::websocket {
namespace {

TEST(Origin, is_a_scheme_a_host_and_a_port) {
  const auto origin = Origin::parse("HTTPS://Example.ORG");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->scheme, "https");
  EXPECT_EQ(origin->host, "example.org");
  EXPECT_EQ(origin->port, 443);
  EXPECT_EQ(Origin::parse("http://[::1]:8080")->host, "[::1]");
  EXPECT_EQ(Origin::parse("http://[::1]:8080")->port, 8080);
  for (const char* bad :
       {"", "null", "example.org", "://x", "http://", "http://a/", "http://a b",
        "http://a:", "http://a:65536", "http://a:1x", "ht tp://a", "http://a,b"}) {
    EXPECT_FALSE(Origin::parse(bad)) << bad;
  }
}

TEST(Origin, belongs_to_the_host_that_was_asked) {
  const struct {
    const char* origin;
    const char* host;
    bool same;
  } cases[] = {
      {"http://a.example", "a.example", true},
      {"http://a.example", "A.EXAMPLE:80", true},
      {"https://a.example", "a.example", true},
      {"https://a.example", "a.example:443", true},
      {"http://a.example:8080", "a.example:8080", true},
      {"http://[::1]:8080", "[::1]:8080", true},
      {"http://a.example", "b.example", false},
      {"http://a.example", "a.example:8080", false},
      {"http://a.example:8080", "a.example", false},
      {"https://a.example", "a.example:80", false},
      {"http://a.example", "", false},
      {"http://a.example.evil", "a.example", false},
      {"http://evil-a.example", "a.example", false},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(Origin::parse(c.origin)->is_host(c.host), c.same) << c.origin << " at " << c.host;
  }
}

TEST(OriginPattern, a_star_stands_for_any_name_below) {
  const auto matches = [](const char* pattern, const char* origin) {
    return OriginPattern::parse(pattern)->matches(*Origin::parse(origin));
  };
  EXPECT_TRUE(matches("https://example.org", "https://EXAMPLE.org:443"));
  EXPECT_FALSE(matches("https://example.org", "http://example.org"));
  EXPECT_FALSE(matches("https://example.org", "https://example.org:444"));
  EXPECT_TRUE(matches("https://*.example.org", "https://a.b.example.org"));
  EXPECT_FALSE(matches("https://*.example.org", "https://example.org"));
  EXPECT_FALSE(matches("https://*.example.org", "https://badexample.org"));
  EXPECT_FALSE(matches("https://*.example.org", "https://.example.org"));
  for (const char* bad :
       {"", "*", "https://*", "https://a.*.org", "https://*.*.org", "example.org"}) {
    EXPECT_FALSE(OriginPattern::parse(bad)) << bad;
  }
}

}  // namespace
}  // namespace hotline::websocket
