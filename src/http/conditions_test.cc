#include "http/conditions.h"

#include <gtest/gtest.h>

#include "http/request_builder.h"

namespace hotline::http {
namespace {

const Validators validators{"\"v1\"", 784111777};
const std::string then = "Sun, 06 Nov 1994 08:49:37 GMT";
const std::string before = "Sun, 06 Nov 1994 08:49:36 GMT";

// A request with these lines.
class Asked {
 public:
  explicit Asked(std::string_view fields, std::string_view method = "GET") {
    head_.append(method).append(" / HTTP/1.1\r\nHost: a\r\n").append(fields).append("\r\n");
    RequestTraits traits;
    EXPECT_FALSE(RequestBuilder::build(head_, 9, request_, traits));
  }
  const Request& operator()() const { return request_; }

 private:
  std::string head_;
  Request request_;
};

Verdict verdict(const std::string& fields) { return judge(Asked{fields + "\r\n"}(), validators); }

TEST(Conditions, proceed_where_there_are_none) { EXPECT_EQ(verdict("X: y"), Verdict::proceed); }

TEST(Conditions, by_etag_say_that_nothing_has_changed) {
  for (const auto* list : {"\"v1\"", "W/\"v1\"", "*", " * ", "\"a\",\"v1\"", "\"a,b\" , W/\"v1\"",
                           ",, \"v1\"", "\"\", \"v1\""}) {
    EXPECT_EQ(verdict(std::string("If-None-Match: ") + list), Verdict::not_modified) << list;
  }
  for (const auto* list :
       {"", "v1", "\"v2\"", "\"v1", "w/\"v1\"", "\"a,\"v1\"", "v1, \"v1\"", "\"*\""}) {
    EXPECT_EQ(verdict(std::string("If-None-Match: ") + list), Verdict::proceed) << list;
  }
  EXPECT_EQ(verdict("If-None-Match: \"a\"\r\nIf-None-Match: \"v1\""), Verdict::not_modified);
}

TEST(Conditions, by_date_say_that_nothing_has_changed) {
  EXPECT_EQ(verdict("If-Modified-Since: " + then), Verdict::not_modified);
  EXPECT_EQ(verdict("If-Modified-Since: " + before), Verdict::proceed);
  EXPECT_EQ(verdict("If-Modified-Since: yesterday"), Verdict::proceed);
  EXPECT_EQ(verdict("If-Modified-Since: " + then + "\r\nIf-Modified-Since: " + then),
            Verdict::proceed);
  EXPECT_EQ(verdict("If-None-Match: \"a\"\r\nIf-Modified-Since: " + then), Verdict::proceed)
      << "an etag is the better witness";
}

TEST(Conditions, fail_where_something_else_was_expected) {
  EXPECT_EQ(verdict("If-Match: \"v1\""), Verdict::proceed);
  EXPECT_EQ(verdict("If-Match: *"), Verdict::proceed);
  EXPECT_EQ(verdict("If-Match: W/\"v1\""), Verdict::precondition_failed);
  EXPECT_EQ(verdict("If-Match: \"v2\""), Verdict::precondition_failed);
  EXPECT_EQ(verdict("If-Unmodified-Since: " + then), Verdict::proceed);
  EXPECT_EQ(verdict("If-Unmodified-Since: " + before), Verdict::precondition_failed);
  EXPECT_EQ(verdict("If-Match: \"v1\"\r\nIf-Unmodified-Since: " + before), Verdict::proceed);
  EXPECT_EQ(verdict("If-Match: \"v2\"\r\nIf-None-Match: \"v1\""), Verdict::precondition_failed);
}

// "first+length", or what else it comes to.
std::string range(const std::string& fields, std::uint64_t size = 10) {
  const auto wanted = wanted_range(Asked{fields + "\r\n"}(), validators, size);
  if (wanted.kind == WantedRange::Kind::whole) return "whole";
  if (wanted.kind == WantedRange::Kind::unsatisfiable) return "none";
  return std::to_string(wanted.range.first) + "+" + std::to_string(wanted.range.length);
}

TEST(Range, is_a_part) {
  const std::pair<const char*, const char*> rows[] = {{"0-0", "0+1"},
                                                      {"0-9", "0+10"},
                                                      {"0-10", "0+10"},
                                                      {"9-9", "9+1"},
                                                      {"9-", "9+1"},
                                                      {"0-", "0+10"},
                                                      {"-1", "9+1"},
                                                      {"-10", "0+10"},
                                                      {"-11", "0+10"},
                                                      {"2-4", "2+3"},
                                                      {" 2-4 ", "2+3"},
                                                      {"00002-04", "2+3"},
                                                      {"3-99999999999999999999999", "3+7"},
                                                      {"-18446744073709551615", "0+10"},
                                                      {"1-18446744073709551615", "1+9"}};
  for (const auto& [text, part] : rows) {
    EXPECT_EQ(range(std::string("Range: bytes=") + text), part) << text;
  }
  EXPECT_EQ(range("Range: BYTES=1-2"), "1+2");
}

TEST(Range, cannot_be_had_where_nothing_is_there) {
  for (const auto* text : {"10-", "10-20", "11-", "-0", "99999999999999999999-"}) {
    EXPECT_EQ(range(std::string("Range: bytes=") + text), "none") << text;
  }
  EXPECT_EQ(range("Range: bytes=0-", 0), "none");
  EXPECT_EQ(range("Range: bytes=-1", 0), "whole");
}

TEST(Range, that_is_malformed_or_not_alone_is_ignored) {
  for (const auto* text : {"", "-", "1", "a-b", "1-a", "1 - 2", "+1-2", "1--2", "4-2", "1-2-3",
                           "0-1,3-4", "0-0,", "0x1-2"}) {
    EXPECT_EQ(range(std::string("Range: bytes=") + text), "whole") << text;
  }
  for (const auto* field : {"Range: items=0-1", "Range: bytes 0-1", "Range: bytes", "Range:",
                            "Range: bytes=0-1\r\nRange: bytes=0-1", "Ranges: bytes=0-1"}) {
    EXPECT_EQ(range(field), "whole") << field;
  }
  EXPECT_EQ(wanted_range(Asked{"Range: bytes=0-1\r\n", "HEAD"}(), validators, 10).kind,
            WantedRange::Kind::whole);
}

TEST(Range, holds_only_for_the_state_that_the_client_knows) {
  for (const auto& known : {std::string("\"v1\""), then}) {
    EXPECT_EQ(range("Range: bytes=0-1\r\nIf-Range: " + known), "0+2") << known;
  }
  for (const auto& other :
       {std::string("\"v2\""), std::string("W/\"v1\""), before,
        std::string("Sun, 06 Nov 1994 08:49:38 GMT"), std::string("v1"), std::string()}) {
    EXPECT_EQ(range("Range: bytes=0-1\r\nIf-Range: " + other), "whole") << other;
  }
}

}  // namespace
}  // namespace hotline::http
