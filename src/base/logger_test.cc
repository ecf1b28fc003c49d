#include <hotline/base/logger.h>

#include <string>

#include <gtest/gtest.h>

namespace hotline {
namespace {

std::string written(Logger& logger) {
  ::testing::internal::CaptureStderr();
  logger.write(LogLevel::debug, "one");
  logger.write(LogLevel::info, "two");
  logger.write(LogLevel::warning, std::string_view{"three and more"}.substr(0, 5));
  logger.write(LogLevel::error, "four");
  return ::testing::internal::GetCapturedStderr();
}

TEST(StderrLogger, writes_warnings_and_errors_by_default) {
  const auto logger = stderr_logger();
  EXPECT_FALSE(logger->enabled(LogLevel::info));
  EXPECT_TRUE(logger->enabled(LogLevel::warning));
  EXPECT_EQ(written(*logger), "hotline: warning: three\nhotline: error: four\n");
}

TEST(StderrLogger, writes_from_its_level_on) {
  EXPECT_EQ(written(*stderr_logger(LogLevel::debug)),
            "hotline: debug: one\nhotline: info: two\nhotline: warning: three\n"
            "hotline: error: four\n");
  EXPECT_EQ(written(*stderr_logger(LogLevel::off)), "");
}

}  // namespace
}  // namespace hotline
