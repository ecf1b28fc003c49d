#include <hotline/base/logger.h>

#include <cstdio>

namespace hotline {
namespace {

const char* name(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return "debug";
    case LogLevel::info: return "info";
    case LogLevel::warning: return "warning";
    default: return "error";
  }
}

class StderrLogger final : public Logger {
 public:
  explicit StderrLogger(LogLevel level) : level_(level) {}
  bool enabled(LogLevel level) const noexcept override { return level >= level_; }
  void write(LogLevel level, std::string_view line) noexcept override {
    if (!enabled(level)) return;
    // One call, so that lines of several threads do not mix.
    std::fprintf(stderr, "hotline: %s: %.*s\n", name(level), static_cast<int>(line.size()),
                 line.data());
  }

 private:
  LogLevel level_;
};

}  // namespace

std::shared_ptr<Logger> stderr_logger(LogLevel level) {
  return std::make_shared<StderrLogger>(level);
}

}  // namespace hotline
