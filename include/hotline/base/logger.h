#pragma once

#include <memory>
#include <string_view>

namespace hotline {

enum class LogLevel { debug, info, warning, error, off };

/// Where the library's own log lines go. One logger serves all loops: `write` must be thread-safe,
/// must not throw, and should not block. What a peer sent is escaped before it reaches a line.
class Logger {
 public:
  virtual ~Logger() = default;
  virtual bool enabled(LogLevel level) const noexcept = 0;
  virtual void write(LogLevel level, std::string_view line) noexcept = 0;
};

/// Writes lines of `level` and above to stderr, a line at a time. This, with `warning`, is the
/// default.
std::shared_ptr<Logger> stderr_logger(LogLevel level = LogLevel::warning);

}  // namespace hotline
