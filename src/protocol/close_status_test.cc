#include <hotline/protocol/close_status.h>

#include <set>
#include <string>

#include <gtest/gtest.h>

namespace hotline::protocol {
namespace {

bool in(int code, int from, int to) { return code >= from && code <= to; }

TEST(CloseStatus, EachCodeMayBeSentOrNot) {
  for (int code = 0; code < 65536; ++code) {
    const bool either = in(code, 1000, 1003) || in(code, 1007, 1009) || in(code, 1011, 1014) ||
                        in(code, 3000, 4999);
    EXPECT_EQ(may_be_sent(CloseCode(code), Role::server), either) << code;
    EXPECT_EQ(may_be_sent(CloseCode(code), Role::client), either || code == 1010) << code;
    EXPECT_EQ(may_be_received(static_cast<std::uint16_t>(code)), either || code == 1010) << code;
  }
}

TEST(CloseStatus, EveryCodeHasANameAndAMeaningOfItsOwn) {
  std::set<std::string_view> names, meanings;
  for (int code = 1000; code <= 1015; ++code) {
    if (code == 1004) continue;
    names.insert(name(CloseCode(code)));
    meanings.insert(meaning(CloseCode(code)));
  }
  EXPECT_EQ(names.size(), 15U);
  EXPECT_EQ(meanings.size(), 15U);
  EXPECT_EQ(name(CloseCode::going_away), "going_away");
  EXPECT_EQ(name(CloseCode{3000}), "application");
  EXPECT_EQ(name(CloseCode{4999}), "application");
  EXPECT_EQ(name(CloseCode{1004}), "unknown");
  EXPECT_EQ(name(CloseCode{5000}), "unknown");
}

TEST(CloseStatus, OfAnOpenConnectionNobodyHasClosedIt) {
  const CloseStatus status;
  EXPECT_EQ(status.closed_by(), ClosedBy::nobody);
  EXPECT_EQ(status.code(), CloseCode::no_status);
  EXPECT_EQ(status.reason(), "");
}

TEST(CloseStatus, ItOwnsItsReason) {
  std::string reason = "a reason that is too long to be stored without memory";
  const CloseStatus status{CloseCode::going_away, reason, ClosedBy::peer};
  const CloseStatus copy = status;
  reason.assign(reason.size(), 'x');
  EXPECT_EQ(copy.reason(), "a reason that is too long to be stored without memory");
  EXPECT_EQ(copy.code(), CloseCode::going_away);
  EXPECT_EQ(copy.closed_by(), ClosedBy::peer);
}

}  // namespace
}  // namespace hotline::protocol
