#include "tools/call_pings.h"

#include <gtest/gtest.h>

namespace hotline::tools {
namespace {

using std::chrono::milliseconds;

TEST(PingSummary, adds_up_what_was_measured) {
  PingSummary summary;
  for (const int time : {1, 2, 3, 6}) {
    summary.sent();
    summary.answered(milliseconds(time));
  }
  summary.sent();
  EXPECT_FALSE(summary.all_answered());
  EXPECT_EQ(summary.text("ws://localhost/"),
            "--- ws://localhost/ ---\n"
            "5 pings, 4 pongs\n"
            "round trip min/avg/max/mdev = 1.000/3.000/6.000/1.871 ms");
}

TEST(PingSummary, has_no_times_without_an_answer) {
  PingSummary summary;
  summary.sent();
  EXPECT_EQ(summary.text("ws://localhost/"), "--- ws://localhost/ ---\n1 ping, 0 pongs");
}

}  // namespace
}  // namespace hotline::tools
