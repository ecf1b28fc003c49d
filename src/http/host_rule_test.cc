#include "http/host_rule.h"

#include <gtest/gtest.h>

namespace hotline::http {
namespace {

TEST(HostRule, on_loopback_knows_the_machine_itself_and_the_names_it_is_told) {
  const HostRule rule{true, {"dev.example"}};
  for (const auto* host : {"", "localhost", "LocalHost:80", "a.localhost", "127.0.0.1:1",
                           "[::1]:8080", "10.1.2.3", "dev.example", "DEV.example:99"}) {
    EXPECT_TRUE(rule.allows(host)) << host;
  }
  for (const auto* host :
       {"evil.example", "localhost.evil.example", "xlocalhost", ".localhost",
        "dev.example.evil.example", "127.1", "0x7f.0.0.1", "127.0.0.1.evil.example"}) {
    EXPECT_FALSE(rule.allows(host)) << host;
  }
}

TEST(HostRule, elsewhere_knows_any_name_unless_it_is_told_some) {
  EXPECT_TRUE(HostRule(false, {}).allows("example.org"));
  const HostRule told{false, {"example.org"}};
  EXPECT_TRUE(told.allows("example.org"));
  EXPECT_FALSE(told.allows("other.example"));
}

}  // namespace
}  // namespace hotline::http
