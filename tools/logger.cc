#include "tools/logger.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

namespace hotline::tools {
namespace {

spdlog::level::level_enum spdlog_level(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
    case LogLevel::off: break;
  }
  return spdlog::level::off;
}

class SpdlogLogger final : public Logger {
 public:
  explicit SpdlogLogger(LogLevel level)
      : logger_("hotline", std::make_shared<spdlog::sinks::stderr_color_sink_mt>()) {
    logger_.set_level(spdlog_level(level));
    logger_.set_pattern("%Y-%m-%dT%H:%M:%S.%e %^%l%$ %v");
    logger_.set_error_handler([](const std::string&) {});  // a full disk must not end the server
  }
  bool enabled(LogLevel level) const noexcept override {
    return logger_.should_log(spdlog_level(level));
  }
  void write(LogLevel level, std::string_view line) noexcept override {
    logger_.log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
  }

 private:
  spdlog::logger logger_;
};

}  // namespace

std::shared_ptr<Logger> make_logger(LogLevel level) {
  return std::make_shared<SpdlogLogger>(level);
}

}  // namespace hotline::tools
