#include "http/address_limits.h"

#include <string>

#include <gtest/gtest.h>

namespace hotline::http {
namespace {

using namespace std::chrono_literals;
using Verdict = AddressLimits::Verdict;

Address at(const std::string& text) { return *Address::parse(text, 4711); }

/// How many of `times` connections are welcome.
int open(AddressLimits& limits, const Address& address, TimePoint now, int times) {
  int welcome = 0;
  for (int i = 0; i < times; ++i) welcome += limits.open(address, now) == Verdict::welcome ? 1 : 0;
  return welcome;
}

TEST(AddressLimits, counts_each_client_on_its_own) {
  AddressLimits limits{{.connections = 3}};
  EXPECT_EQ(open(limits, at("192.0.2.1"), {}, 5), 3);
  EXPECT_EQ(open(limits, at("192.0.2.2"), {}, 5), 3);
  EXPECT_EQ(limits.open(at("192.0.2.1"), {}), Verdict::too_many);
  limits.close(at("192.0.2.1"));
  EXPECT_EQ(limits.open(at("192.0.2.1"), {}), Verdict::welcome);
  EXPECT_EQ(limits.open(at("192.0.2.1"), {}), Verdict::too_many);
}

TEST(AddressLimits, takes_a_v6_network_of_64_bits_for_one_client) {
  AddressLimits limits{{.connections = 2}};
  EXPECT_EQ(limits.open(at("2001:db8:0:1::1"), {}), Verdict::welcome);
  EXPECT_EQ(limits.open(at("2001:db8:0:1:ffff::2"), {}), Verdict::welcome);
  EXPECT_EQ(limits.open(at("2001:db8:0:1::3"), {}), Verdict::too_many);
  EXPECT_EQ(limits.open(at("2001:db8:0:2::1"), {}), Verdict::welcome);
  limits.close(at("2001:db8:0:1::77"));
  EXPECT_EQ(limits.open(at("2001:db8:0:1::3"), {}), Verdict::welcome);
}

TEST(AddressLimits, knows_an_ipv4_address_that_is_mapped_into_ipv6) {
  AddressLimits limits{{.connections = 1}};
  EXPECT_EQ(limits.open(at("::ffff:192.0.2.1"), {}), Verdict::welcome);
  EXPECT_EQ(limits.open(at("::ffff:192.0.2.2"), {}), Verdict::welcome);
  EXPECT_EQ(limits.open(at("192.0.2.1"), {}), Verdict::too_many);
  EXPECT_EQ(limits.open(at("0:0:c000:201::"), {}), Verdict::welcome) << "another family's";
}

TEST(AddressLimits, lets_a_burst_in_and_then_so_many_a_second) {
  AddressLimits limits{{.rate = 10, .burst = 4}};
  const auto client = at("192.0.2.1");
  TimePoint now{};
  EXPECT_EQ(open(limits, client, now, 9), 4);
  EXPECT_EQ(limits.open(client, now), Verdict::too_fast);
  EXPECT_EQ(open(limits, client, now += 99ms, 9), 0);
  EXPECT_EQ(open(limits, client, now += 1ms, 9), 1) << "what is refused costs nothing";
  EXPECT_EQ(open(limits, client, now += 250ms, 9), 2);
  EXPECT_EQ(open(limits, client, now += 50ms, 9), 1) << "halves are kept";
  EXPECT_EQ(open(limits, client, now += 1h, 9), 4) << "no more than a burst";
  EXPECT_EQ(open(limits, at("192.0.2.2"), now, 9), 4);
}

TEST(AddressLimits, counts_against_the_rate_whom_it_finds_too_many) {
  AddressLimits limits{{.connections = 1, .rate = 1, .burst = 3}};
  const auto client = at("192.0.2.1");
  EXPECT_EQ(limits.open(client, {}), Verdict::welcome);
  EXPECT_EQ(limits.open(client, {}), Verdict::too_many);
  EXPECT_EQ(limits.open(client, {}), Verdict::too_many);
  EXPECT_EQ(limits.open(client, {}), Verdict::too_fast);
}

TEST(AddressLimits, forgets_who_has_gone_when_its_bucket_is_full_again) {
  AddressLimits limits{{.rate = 1, .burst = 10}};
  TimePoint now{};
  for (int i = 0; i < 100; ++i) {
    const auto client = at("192.0.2." + std::to_string(i));
    EXPECT_EQ(open(limits, client, now, 5), 5);
    for (int j = 0; j < 5; ++j) limits.close(client);
  }
  EXPECT_EQ(limits.size(), 100u);
  EXPECT_EQ(open(limits, at("192.0.2.7"), now += 1s, 9), 6) << "still remembered";
  now += 4s;
  for (int i = 0; i < 30; ++i) limits.open(at("198.51.100.1"), now);
  EXPECT_EQ(limits.size(), 2u) << "the two that have connections";
}

TEST(AddressLimits, forgets_the_longest_idle_when_there_are_too_many) {
  AddressLimits limits{{.rate = 1, .burst = 1, .most_remembered = 100}};
  const auto client = [](int i) {
    return at("10.0." + std::to_string(i / 256) + "." + std::to_string(i % 256));
  };
  for (int i = 0; i < 1000; ++i) {
    EXPECT_EQ(limits.open(client(i), {}), Verdict::welcome);
    limits.close(client(i));
    EXPECT_LE(limits.size(), 101u);
  }
  EXPECT_EQ(limits.open(client(999), {}), Verdict::too_fast);
  EXPECT_EQ(limits.open(client(0), {}), Verdict::welcome) << "forgotten, and forgiven";
}

TEST(AddressLimits, remembers_everybody_who_is_connected) {
  AddressLimits limits{{.connections = 1, .most_remembered = 4}};
  for (int i = 0; i < 100; ++i) limits.open(at("192.0.2." + std::to_string(i)), {});
  EXPECT_EQ(limits.size(), 100u);
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(limits.open(at("192.0.2." + std::to_string(i)), {}), Verdict::too_many);
  }
  for (int i = 0; i < 100; ++i) limits.close(at("192.0.2." + std::to_string(i)));
  for (int i = 0; i < 100; ++i) limits.open(at("198.51.100.1"), TimePoint{} + 1h);
  EXPECT_EQ(limits.size(), 1u);
}

}  // namespace
}  // namespace hotline::http
