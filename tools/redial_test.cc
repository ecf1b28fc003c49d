#include "tools/redial.h"

#include <gtest/gtest.h>

#include <hotline/websocket/dialer.h>

namespace hotline::tools {
namespace {

using protocol::CloseCode;
using protocol::ClosedBy;
using protocol::CloseStatus;
using std::chrono::milliseconds;
using std::chrono::seconds;

std::exception_ptr refusal(int status, std::string retry_after = "") {
  http::ResponseHead head;
  head.status = status;
  if (!retry_after.empty()) head.headers.emplace_back("Retry-After", retry_after);
  return std::make_exception_ptr(
      websocket::DialRefused{Fault::upgrade_refused, "refused", std::move(head)});
}

bool helps(CloseCode code, ClosedBy by) { return Redial::may_help(CloseStatus{code, "", by}); }

TEST(Redial, waits_twice_as_long_each_time_up_to_half_a_minute) {
  SeededEntropy entropy{1};
  Redial redial{entropy};
  for (const int expected : {500, 1000, 2000, 4000, 8000, 16000, 30000, 30000}) {
    const auto wait = redial.next();
    EXPECT_GE(wait, milliseconds(expected * 3 / 4));
    EXPECT_LE(wait, milliseconds(expected * 5 / 4));
  }
  redial.succeeded();
  EXPECT_LE(redial.next(), milliseconds(625));
}

TEST(Redial, does_not_wait_as_long_as_others) {
  SeededEntropy one{1};
  SeededEntropy two{2};
  EXPECT_NE(Redial{one}.next(), Redial{two}.next());
}

TEST(Redial, waits_as_long_as_it_was_asked_to) {
  SeededEntropy entropy{1};
  EXPECT_EQ(Redial{entropy}.next(Redial::asked_for(refusal(503, "7"))), seconds(7));
  EXPECT_EQ(Redial::asked_for(refusal(503, "86400")), seconds(300));
  EXPECT_EQ(Redial::asked_for(refusal(503, "Fri, 31 Dec 1999 23:59:59 GMT")), seconds(0));
  EXPECT_EQ(Redial::asked_for(refusal(503)), seconds(0));
}

TEST(Redial, gives_up_on_what_cannot_succeed) {
  for (const int status : {400, 401, 403, 404, 426, 301, 501}) {
    EXPECT_FALSE(Redial::may_help(refusal(status))) << status;
  }
  for (const int status : {408, 429, 500, 502, 503, 504}) {
    EXPECT_TRUE(Redial::may_help(refusal(status))) << status;
  }
  const auto of = [](std::error_code code) {
    return Redial::may_help(std::make_exception_ptr(Error(code, "somewhere")));
  };
  EXPECT_TRUE(of(std::make_error_code(std::errc::connection_refused)));
  EXPECT_TRUE(of(make_error_code(Fault::deadline_passed)));
  EXPECT_TRUE(of(make_error_code(Fault::name_not_found)));
  EXPECT_FALSE(of(make_error_code(Fault::bad_url)));
  EXPECT_FALSE(of(make_error_code(Fault::certificate_expired)));
}

TEST(Redial, comes_back_to_a_server_that_went_away) {
  EXPECT_TRUE(helps(CloseCode::abnormal, ClosedBy::transport));
  EXPECT_TRUE(helps(CloseCode::going_away, ClosedBy::peer));
  EXPECT_TRUE(helps(CloseCode::service_restart, ClosedBy::peer));
  EXPECT_TRUE(helps(CloseCode::try_again_later, ClosedBy::peer));
  EXPECT_FALSE(helps(CloseCode::normal, ClosedBy::peer));
  EXPECT_FALSE(helps(CloseCode::policy_violation, ClosedBy::peer));
  EXPECT_FALSE(helps(CloseCode::normal, ClosedBy::us));
  EXPECT_FALSE(helps(CloseCode::protocol_error, ClosedBy::us));
}

}  // namespace
}  // namespace hotline::tools
