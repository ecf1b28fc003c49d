#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tools/call_url.h"
#include "tools/option_table.h"

namespace hotline::tools {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;

CallOptions set(std::string_view name, const std::vector<std::string>& values) {
  CallOptions options;
  for (const auto& option : call_options()) {
    if (option.name == name) {
      option.set(options, values);
      return options;
    }
  }
  throw std::logic_error("no such option");
}

std::string complaint(std::string_view name, const std::string& value) {
  try {
    set(name, {value});
  } catch (const UsageError& error) {
    return error.what();
  }
  return "";
}

std::string url_complaint(std::string_view url) {
  try {
    return complete_url(url);
  } catch (const UsageError& error) {
    return error.what();
  }
}

TEST(CompleteUrl, takes_what_people_write) {
  EXPECT_EQ(complete_url("ws://localhost:8080/echo"), "ws://localhost:8080/echo");
  EXPECT_EQ(complete_url("WSS://example.org"), "wss://example.org");
  EXPECT_EQ(complete_url("localhost:8080/echo"), "ws://localhost:8080/echo");
  EXPECT_EQ(complete_url("example.org"), "ws://example.org");
  EXPECT_EQ(complete_url(":8080/echo"), "ws://localhost:8080/echo");
  EXPECT_EQ(complete_url("[::1]:8080"), "ws://[::1]:8080");
  EXPECT_EQ(complete_url("localhost/?next=http://example.org"),
            "ws://localhost/?next=http://example.org");
  EXPECT_EQ(complete_url("unix:/run/hotline.sock:/echo"), "ws+unix:/run/hotline.sock:/echo");
  EXPECT_EQ(complete_url("ws+unix:/run/hotline.sock"), "ws+unix:/run/hotline.sock");
  EXPECT_EQ(complete_url("wss+unix:/run/hotline.sock"), "wss+unix:/run/hotline.sock");
}

TEST(CompleteUrl, says_what_was_perhaps_meant) {
  EXPECT_THAT(url_complaint("http://localhost:8080/echo"),
              HasSubstr("did you mean ws://localhost:8080/echo?"));
  EXPECT_THAT(url_complaint("https://example.org"), HasSubstr("did you mean wss://example.org?"));
  EXPECT_THAT(url_complaint("ftp://example.org"), HasSubstr("begin with ws://, wss://"));
  EXPECT_THAT(url_complaint(""), HasSubstr("is empty"));
  EXPECT_EQ(url_complaint("http://ann:secret@h/"),
            "http://h/ is not a WebSocket's URL: did you mean ws://h/?");
}

TEST(CallOptionTable, takes_headers_apart) {
  const auto options = set("header", {"X-One: 1 ", "Authorization:Bearer a:b", "X-Empty:"});
  EXPECT_THAT(options.headers, ElementsAre(Pair("X-One", "1"), Pair("Authorization", "Bearer a:b"),
                                           Pair("X-Empty", "")));
  for (const char* bad : {"", "X-One", ": 1", "X One: 1", "X-One: a\r\nX-Two: b"}) {
    EXPECT_THAT(complaint("header", bad), HasSubstr("is not a header, such as")) << bad;
  }
}

TEST(CallOptionTable, pings_by_number_or_by_time) {
  EXPECT_EQ(set("ping", {"5"}).pings->count, 5u);
  EXPECT_EQ(set("ping", {"5"}).pings->interval, std::chrono::seconds(1));
  EXPECT_EQ(set("ping", {"200ms"}).pings->count, 0u);
  EXPECT_EQ(set("ping", {"200ms"}).pings->interval, std::chrono::milliseconds(200));
  for (const char* bad : {"", "0", "-1", "0s", "often", "25h"}) {
    EXPECT_THAT(complaint("ping", bad), HasSubstr("how many pings")) << bad;
  }
}

TEST(CallOptionTable, wants_a_password_behind_the_name) {
  EXPECT_EQ(set("user", {"alice:secret"}).user, "alice:secret");
  EXPECT_EQ(set("user", {"alice:"}).user, "alice:");
  EXPECT_THAT(complaint("user", "alice"), HasSubstr("NAME:PASSWORD"));
}

}  // namespace
}  // namespace hotline::tools
