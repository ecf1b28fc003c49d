#include "http/response_reader.h"

#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hotline::http {
namespace {

using Result = ResponseReader::Result;
using ::testing::HasSubstr;

struct Read {
  Result result = Result::need_more;
  ResponseHead head = {};
  int version = 0;
  std::string refusal = {};
  std::string rest = {};
};

// `piece` bytes at a time.
Read read(const std::string& bytes, std::size_t piece, const HeadLimits& limits = {}) {
  ResponseReader reader{limits};
  Read read;
  std::size_t at = 0;
  while (at < bytes.size() && read.result == Result::need_more) {
    auto next = std::string_view{bytes}.substr(at, piece);
    const auto before = next.size();
    read.result = reader.feed(next);
    at += before - next.size();
    if (read.result != Result::refused) {
      EXPECT_EQ(reader.bytes(), bytes.substr(0, at));
    }
  }
  if (read.result == Result::complete) {
    read.head = reader.head();
    read.version = reader.version();
    read.rest = bytes.substr(at);
  }
  read.refusal = reader.refusal();
  return read;
}

const std::vector<std::size_t> pieces{1, 2, 7, 100'000};

TEST(ResponseReader, takes_a_head_and_leaves_what_is_behind_it) {
  for (const auto piece : pieces) {
    const auto got = read(
        "HTTP/1.1 101 Switching  Protocols\r\nUpgrade:websocket\r\nX: \t a b \t\r\nx:\r\n\r\n\r\nx",
        piece);
    ASSERT_EQ(got.result, Result::complete) << piece;
    EXPECT_EQ(got.version, 11);
    EXPECT_EQ(got.head.status, 101);
    EXPECT_EQ(got.head.reason, "Switching  Protocols");
    EXPECT_EQ(got.head.headers, (std::vector<std::pair<std::string, std::string>>{
                                    {"Upgrade", "websocket"}, {"X", "a b"}, {"x", ""}}));
    EXPECT_EQ(got.head.header("x"), "a b");
    EXPECT_EQ(got.head.header_count("x"), 2u);
    EXPECT_EQ(got.rest, "\r\nx");
  }
}

TEST(ResponseReader, needs_no_reason_and_knows_an_old_version) {
  for (const auto* head : {"HTTP/1.0 200\r\n\r\n", "HTTP/1.0 200 \r\n\r\n"}) {
    const auto got = read(head, 1);
    ASSERT_EQ(got.result, Result::complete) << head;
    EXPECT_EQ(got.version, 10);
    EXPECT_EQ(got.head.status, 200);
    EXPECT_EQ(got.head.reason, "");
    EXPECT_TRUE(got.head.headers.empty());
  }
}

TEST(ResponseReader, refuses_what_is_no_response_at_the_byte_that_shows_it) {
  const std::string good = "HTTP/1.1 200 OK\r\n";
  const std::pair<std::string, std::string> rows[] = {
      {"\x15", "this is TLS"},
      {"\x16", "this is TLS"},
      {"G", "no HTTP/1.1"},
      {"h", "no HTTP/1.1"},
      {"HTTP/2", "no HTTP/1.1"},
      {"HTTP/1.x", "no HTTP/1.1"},
      {"HTTP/1.11", "three digits"},
      {"HTTP/1.1 0", "three digits"},
      {"HTTP/1.1 6", "three digits"},
      {"HTTP/1.1 2x", "three digits"},
      {"HTTP/1.1 2000", "three digits"},
      {"HTTP/1.1 200\n", "line feed without"},
      {"HTTP/1.1 200 OK\n", "line feed without"},
      {"HTTP/1.1 200 OK\rX", "carriage return without"},
      {std::string("HTTP/1.1 200 O\0", 15), "control byte"},
      {"HTTP/1.1 200 O\x7f", "control byte"},
      {good + " ", ""},  // nothing that could be folded
      {good + "A: b\r\n ", ""},
      {good + "A ", ""},
      {good + "A\r", ""},
      {good + ":", ""},
      {good + "A: b\n", ""},
      {good + "A: \x01", ""},
  };
  for (const auto& [bytes, why] : rows) {
    for (const auto piece : pieces) {
      const auto got = read(bytes, piece);
      EXPECT_EQ(got.result, Result::refused) << testing::PrintToString(bytes) << piece;
      EXPECT_THAT(got.refusal, HasSubstr(why)) << testing::PrintToString(bytes);
      EXPECT_FALSE(got.refusal.empty());
    }
    EXPECT_EQ(read(bytes.substr(0, bytes.size() - 1), 1).result, Result::need_more)
        << testing::PrintToString(bytes);
  }
}

TEST(ResponseReader, has_limits_of_fields_and_of_bytes) {
  const HeadLimits limits{.bytes = 60, .fields = 2};
  const std::string begin = "HTTP/1.1 200 OK\r\n";
  const auto field = [](std::size_t size) { return "A: " + std::string(size - 5, 'x') + "\r\n"; };
  EXPECT_EQ(read(begin + field(6) + field(6) + "\r\n", 1, limits).result, Result::complete);
  const auto many = read(begin + field(6) + field(6) + field(6) + "\r\n", 1, limits);
  EXPECT_EQ(many.result, Result::refused);
  EXPECT_THAT(many.refusal, HasSubstr("more than 2 header fields"));
  EXPECT_EQ(read(begin + field(41) + "\r\n", 1, limits).result, Result::complete);
  const auto long_head = read(begin + field(42) + "\r\n", 1, limits);
  EXPECT_EQ(long_head.result, Result::refused);
  EXPECT_THAT(long_head.refusal, HasSubstr("longer than 60 bytes"));
  EXPECT_THAT(read("HTTP/1.1 200 " + std::string(100, 'x'), 1, limits).refusal,
              HasSubstr("status line is too long"));
}

std::string body_of(const std::string& fields, const std::string& bytes, bool done,
                    std::size_t most = 1024, int status = 400) {
  const auto got = read("HTTP/1.1 " + std::to_string(status) + " Bad\r\n" + fields + "\r\n", 100);
  EXPECT_EQ(got.result, Result::complete);
  std::string text;
  for (const auto piece : pieces) {
    ResponseBody body{got.head, most};
    for (std::size_t at = 0; at < bytes.size(); at += piece) {
      body.feed(std::string_view{bytes}.substr(at, piece));
    }
    EXPECT_EQ(body.done(), done) << fields << piece;
    if (!text.empty()) {
      EXPECT_EQ(body.text(), text) << piece;
    }
    text = body.text();
  }
  return text;
}

TEST(ResponseBody, ends_where_the_head_says) {
  EXPECT_EQ(body_of("Content-Length: 5\r\n", "sorry and more", true), "sorry");
  EXPECT_EQ(body_of("Content-Length: 5\r\n", "sor", false), "sor");
  EXPECT_EQ(body_of("Content-Length: 0\r\n", "sorry", true), "");
  EXPECT_EQ(body_of("Transfer-Encoding: chunked\r\n", "3\r\nsor\r\n2\r\nry\r\n0\r\n\r\nmore", true),
            "sorry");
  EXPECT_EQ(body_of("", "sorry", false), "sorry") << "up to the stream's end";
  EXPECT_EQ(body_of("Content-Length: 5\r\n", "sorry", true, 1024, 204), "");
}

TEST(ResponseBody, is_no_longer_than_wanted_and_ends_where_it_is_malformed) {
  EXPECT_EQ(body_of("", "sorry", true, 3), "sor");
  EXPECT_EQ(body_of("Content-Length: 500\r\n", "sorry", true, 3), "sor");
  EXPECT_EQ(body_of("Transfer-Encoding: chunked\r\n", "3\r\nsor\r\nx", true), "sor");
}

}  // namespace
}  // namespace hotline::http
