#include <hotline/base/error.h>

#include <array>
#include <cerrno>

#include <gtest/gtest.h>

#include <hotline/base/clock.h>
#include <hotline/base/entropy.h>

namespace hotline {
namespace {

TEST(Error, compares_with_the_condition_it_belongs_to) {
  const Error error{Fault::message_too_big, "17 bytes"};
  EXPECT_TRUE(error.is(Condition::limit_exceeded));
  EXPECT_FALSE(error.is(Condition::timed_out));
  EXPECT_EQ(error.code(), Fault::message_too_big);
  EXPECT_STREQ(error.what(), "17 bytes: the message exceeds the limit");
}

TEST(Error, of_the_system_compares_too) {
  const Error reset{std::error_code(ECONNRESET, std::system_category()), "reading"};
  EXPECT_TRUE(reset.is(Condition::connection_lost));
  const Error late{std::error_code(ETIMEDOUT, std::system_category()), "reading"};
  EXPECT_TRUE(late.is(Condition::timed_out));
  EXPECT_FALSE(late.is(Condition::connection_lost));
}

TEST(Error, cancelled_is_one_of_them) {
  const Cancelled cancelled;
  EXPECT_TRUE(cancelled.is(Condition::cancelled));
}

TEST(Escaped, lets_no_byte_of_a_peer_forge_a_line) {
  EXPECT_EQ(escaped("plain text"), "plain text");
  EXPECT_EQ(escaped("a\r\nb\"c\\\x7f\xc3"), "a\\x0d\\x0ab\\x22c\\x5c\\x7f\\xc3");
  EXPECT_EQ(escaped("12345", 3), "123...");
  EXPECT_EQ(escaped("123", 3), "123");
}

TEST(Entropy, seeded_repeats_itself_and_the_system_does_not) {
  SeededEntropy a{5};
  SeededEntropy b{5};
  SeededEntropy c{6};
  const auto first = a.number();
  EXPECT_EQ(first, b.number());
  EXPECT_NE(first, c.number());
  EXPECT_NE(system_entropy().number(), system_entropy().number());
}

TEST(Entropy, fills_every_length_across_its_batches) {
  std::array<std::byte, 3000> bytes{};
  system_entropy().fill(bytes);
  int zeros = 0;
  for (const auto byte : bytes) zeros += byte == std::byte{0};
  EXPECT_LT(zeros, 60) << "about 12 are expected";
}

TEST(VirtualClock, passes_only_when_told) {
  VirtualClock clock;
  const auto start = clock.now();
  EXPECT_EQ(clock.now(), start);
  clock.advance(std::chrono::seconds(3));
  EXPECT_EQ(clock.now() - start, std::chrono::seconds(3));
}

}  // namespace
}  // namespace hotline
