#include "http/http_date.h"

#include <gtest/gtest.h>

namespace hotline::http {
namespace {

constexpr std::time_t instant = 784111777;

TEST(HttpDate, is_written_in_one_form) {
  EXPECT_EQ(format_http_date(instant), "Sun, 06 Nov 1994 08:49:37 GMT");
  EXPECT_EQ(format_http_date(0), "Thu, 01 Jan 1970 00:00:00 GMT");
  EXPECT_EQ(format_http_date(4102444799), "Thu, 31 Dec 2099 23:59:59 GMT");
}

TEST(HttpDate, is_read_in_three_forms) {
  EXPECT_EQ(parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"), instant);
  EXPECT_EQ(parse_http_date("Sunday, 06-Nov-94 08:49:37 GMT"), instant);
  EXPECT_EQ(parse_http_date("Sun Nov  6 08:49:37 1994"), instant);
  EXPECT_EQ(parse_http_date("Wed Nov 16 08:49:37 1994"), instant + 10 * 86400);
}

TEST(HttpDate, that_is_none_is_refused) {
  for (const auto* text :
       {"", "0", "Sun, 06 Nov 1994 08:49:37", "Sun, 06 Nov 1994 08:49:37 GMT ", "sun, 06 Nov 1994",
        "Sun, 6 Nov 1994 08:49:37 GMT", "Sun, 06 Nov 1994 08:49:37 CET",
        "Sun, 06 nov 1994 08:49:37 GMT", "Sun, 06 anF 1994 08:49:37 GMT",
        "Sun, 00 Nov 1994 08:49:37 GMT", "Sun, 32 Nov 1994 08:49:37 GMT",
        "Sun, 06 Nov 1994 24:49:37 GMT", "Sun, 06 Nov 1994 08:60:37 GMT",
        "Sun, 06 Nov 1994 08:49:61 GMT", "Sun, 06-Nov-94 08:49:37 GMT", "Sun Nov 06 08:49:37 94",
        "Sun, +6 Nov 1994 08:49:37 GMT"}) {
    EXPECT_EQ(parse_http_date(text), std::nullopt) << text;
  }
}

TEST(HttpDate, is_read_as_it_was_written) {
  for (std::time_t time = 0; time < 4'000'000'000; time += 9'999'991) {
    EXPECT_EQ(parse_http_date(format_http_date(time)), time);
  }
}

}  // namespace
}  // namespace hotline::http
