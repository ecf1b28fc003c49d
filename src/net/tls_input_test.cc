#include "net/tls_input.h"

#include "net/net_fixture.h"

namespace hotline {
namespace {

TEST(TlsInput, holds_no_more_of_a_partial_record_than_has_come) {
  tls::Input input;
  const std::string half = std::string("\x17\x03\x03\x40\x00", 5) + std::string(100, 'x');
  input.received(half);
  EXPECT_FALSE(input.has_record());
  input.stash();
  EXPECT_EQ(input.kept(), half.size());
  input.received(std::string_view("more"));
  input.stash();
  EXPECT_EQ(input.kept(), half.size() + 4);
  EXPECT_LT(input.memory(), 1'000u) << "16 KiB are announced";
}

TEST(TlsInput, gives_whole_records_however_they_come) {
  std::string all;
  for (const std::size_t size : {0u, 1u, 300u, 16'000u}) {
    all += "\x17\x03\x03";
    all += static_cast<char>(size >> 8);
    all += static_cast<char>(size & 255);
    all += pattern(size);
  }
  for (const std::size_t step : {1u, 2u, 3u, 7u, 301u, 5'000u, 100'000u}) {
    tls::Input input;
    std::string got;
    for (std::size_t at = 0; at < all.size(); at += step) {
      const auto piece = all.substr(at, step);
      input.received(piece);
      while (input.has_record()) {
        char bytes[512];
        const auto count = input.take(bytes, sizeof bytes);
        ASSERT_GT(count, 0u);
        got.append(bytes, count);
      }
      input.stash();
    }
    EXPECT_EQ(got, all) << "step " << step;
    EXPECT_EQ(input.kept(), 0u);
  }
}

TEST(TlsInput, gives_a_record_of_an_unknown_type_as_a_whole) {
  tls::Input input;
  const std::string half("\x63\x03\x03\x00\x05half", 9);
  input.received(half);
  EXPECT_FALSE(input.has_record());
}

TEST(TlsInput, begins_no_more_records_than_it_may) {
  tls::Input input;
  const std::string three = std::string(
                                "\x17\x03\x03\x00\x01"
                                "a",
                                6) +
                            std::string(
                                "\x17\x03\x03\x00\x01"
                                "b",
                                6) +
                            std::string(
                                "\x17\x03\x03\x00\x01"
                                "c",
                                6);
  input.received(three);
  char bytes[100];
  input.allow(2);
  EXPECT_EQ(input.take(bytes, 5), 5u);
  EXPECT_EQ(input.take(bytes, 5), 1u);
  EXPECT_EQ(input.take(bytes, 100), 6u);
  EXPECT_EQ(input.take(bytes, 100), 0u);
  EXPECT_TRUE(input.has_record());
  input.allow(1);
  EXPECT_EQ(input.take(bytes, 100), 6u);
}

TEST(TlsInput, does_not_wait_for_what_is_no_record) {
  tls::Input input;
  const std::string http = "GET / HTTP/1.1\r\n";
  input.received(http);
  EXPECT_TRUE(input.has_record());
  const std::string endless("\x17\x03\x03\xff\xff", 5);
  tls::Input other;
  other.received(endless);
  EXPECT_TRUE(other.has_record()) << "OpenSSL says that it is too long";
}

}  // namespace
}  // namespace hotline
