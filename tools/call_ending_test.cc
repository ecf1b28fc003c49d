#include "tools/call_ending.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <hotline/base/error.h>
#include <hotline/http/proxy_refused.h>
#include <hotline/websocket/dialer.h>

#include "tools/option_table.h"

namespace hotline::tools {
namespace {

using protocol::CloseCode;
using protocol::ClosedBy;
using protocol::CloseStatus;
using testing::HasSubstr;

template <typename Exception>
CallEnding after(Exception exception) {
  return ending_of(std::make_exception_ptr(std::move(exception)));
}

int status_of(std::error_code code) { return after(Error(code, "there")).status; }

CallEnding refusal(int status, std::string reason, std::string body = "") {
  http::ResponseHead head;
  head.status = status;
  head.reason = std::move(reason);
  return after(
      websocket::DialRefused{Fault::upgrade_refused, "refused", std::move(head), std::move(body)});
}

CallEnding end(CloseCode code, ClosedBy by, bool finished = false) {
  return ending_of(CloseStatus{code, "because\x1b", by}, finished);
}

TEST(CallEnding, tells_failures_apart) {
  EXPECT_EQ(status_of(std::make_error_code(std::errc::connection_refused)), CallEnding::lost);
  EXPECT_EQ(status_of(std::error_code(ENETUNREACH, std::system_category())), CallEnding::lost);
  EXPECT_EQ(status_of(Fault::name_not_found), CallEnding::lost);
  EXPECT_EQ(status_of(Fault::deadline_passed), CallEnding::lost);
  EXPECT_EQ(status_of(Fault::connection_reset), CallEnding::lost);
  EXPECT_EQ(status_of(Fault::certificate_expired), CallEnding::not_believed);
  EXPECT_EQ(status_of(Fault::certificate_wrong_name), CallEnding::not_believed);
  EXPECT_EQ(status_of(Fault::bad_response), CallEnding::failed);
  EXPECT_EQ(after(std::runtime_error("what?")).status, CallEnding::failed);
}

TEST(CallEnding, wonders_whether_the_server_speaks_tls) {
  const auto ending = after(Error(Fault::tls_failed, "wrong version number"));
  EXPECT_EQ(ending.status, CallEnding::failed);
  EXPECT_THAT(ending.sentence, HasSubstr("does the server speak TLS there?"));
}

TEST(CallEnding, says_how_to_tell_a_proxy_who_asks) {
  const auto ending = after(http::ProxyRefused{"http://proxy:1 for h:80 (407)", 407, {}, {}});
  EXPECT_EQ(ending.status, CallEnding::lost);
  EXPECT_THAT(ending.sentence, HasSubstr("(--proxy http://NAME:PASSWORD@"));
  EXPECT_EQ(after(http::ProxyRefused{"(502)", 502, {}, {}}).sentence, "(502): the proxy refused");
}

TEST(CallEnding, leaves_the_users_mistakes_to_the_user) {
  EXPECT_THROW(after(Error(Fault::bad_url, "the URL")), UsageError);
  try {
    after(Error(Fault::bad_option, "connect_to: \"x\" is neither"));
    FAIL();
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(), "--connect-to: \"x\" is neither");
  }
}

TEST(CallEnding, says_what_the_server_said) {
  EXPECT_EQ(refusal(401, "Unauthorized", "\r\nwho are you?\x1b\nsecond line").sentence,
            "the server refuses: 401 Unauthorized: who are you?\\x1b (--user NAME:PASSWORD, or a "
            "--header)");
  EXPECT_EQ(refusal(404, "Not Found", "404 Not Found\n").sentence,
            "the server refuses: 404 Not Found (is the path right?)");
  EXPECT_EQ(refusal(403, "No", "\"Grüße\"").sentence,
            "the server refuses: 403 No: \"Grüße\" (--origin, --user or a --header, perhaps)");
  EXPECT_EQ(refusal(500, "").sentence, "the server refuses: 500");
  EXPECT_EQ(refusal(500, "").status, CallEnding::refused);
  EXPECT_EQ(refusal(101, "Switching Protocols").status, CallEnding::failed);
}

TEST(CallEnding, is_clean_where_both_sides_said_goodbye) {
  for (const auto by : {ClosedBy::peer, ClosedBy::us}) {
    for (const auto code : {CloseCode::normal, CloseCode::going_away, CloseCode::no_status}) {
      EXPECT_EQ(end(code, by).status, CallEnding::clean);
    }
  }
  EXPECT_EQ(end(CloseCode::policy_violation, ClosedBy::peer).status, CallEnding::failed);
  EXPECT_THAT(end(CloseCode::policy_violation, ClosedBy::peer).sentence,
              HasSubstr("has hung up: 1008 ("));
  EXPECT_THAT(end(CloseCode::policy_violation, ClosedBy::peer).sentence,
              HasSubstr("): because\\x1b"));
  EXPECT_THAT(end(CloseCode::protocol_error, ClosedBy::us).sentence,
              HasSubstr("we had to hang up: 1002 ("));
}

TEST(CallEnding, is_a_loss_without_a_goodbye_unless_we_had_finished) {
  EXPECT_EQ(end(CloseCode::abnormal, ClosedBy::transport).status, CallEnding::lost);
  EXPECT_EQ(end(CloseCode::abnormal, ClosedBy::transport, true).status, CallEnding::clean);
  EXPECT_EQ(end(CloseCode::internal_error, ClosedBy::us).status, CallEnding::lost);  // keepalive
}

TEST(MayComeBack, knows_a_server_that_has_gone_for_a_while) {
  const auto may = [](CloseCode code, ClosedBy by) {
    return may_come_back(CloseStatus{code, "", by});
  };
  EXPECT_TRUE(may(CloseCode::abnormal, ClosedBy::transport));
  EXPECT_TRUE(may(CloseCode::going_away, ClosedBy::peer));
  EXPECT_TRUE(may(CloseCode::service_restart, ClosedBy::peer));
  EXPECT_TRUE(may(CloseCode::try_again_later, ClosedBy::peer));
  EXPECT_TRUE(may(CloseCode::internal_error, ClosedBy::us));
  EXPECT_FALSE(may(CloseCode::normal, ClosedBy::peer));
  EXPECT_FALSE(may(CloseCode::policy_violation, ClosedBy::peer));
  EXPECT_FALSE(may(CloseCode::normal, ClosedBy::us));
  EXPECT_FALSE(may(CloseCode::protocol_error, ClosedBy::us));
}

}  // namespace
}  // namespace hotline::tools
