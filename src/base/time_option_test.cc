#include "base/time_option.h"

#include <optional>

#include <gtest/gtest.h>

namespace hotline {
namespace {

using namespace std::chrono_literals;

template <typename Time>
std::string complaint(Time value) {
  try {
    check_time(value, "patience");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Fault::bad_option);
    return error.what();
  }
  return "";
}

TEST(TimeOption, is_more_than_0_and_at_most_365_days) {
  EXPECT_EQ(complaint(1ns), "");
  EXPECT_EQ(complaint(8760h), "");
  EXPECT_EQ(complaint(std::chrono::milliseconds{8760h}), "");
  const auto said = complaint(0ms);
  EXPECT_TRUE(said.starts_with("patience: more than 0, and at most 365 days")) << said;
  EXPECT_NE(complaint(-1ms), "");
  EXPECT_NE(complaint(8760h + 1ns), "");
  EXPECT_NE(complaint(8760h + 1ms), "");
  EXPECT_NE(complaint(std::chrono::milliseconds::min()), "");
  EXPECT_NE(complaint(std::chrono::milliseconds::max()), "");
}

}  // namespace
}  // namespace hotline
