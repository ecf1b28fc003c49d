#pragma once

#include <memory>

#include <hotline/base/logger.h>

#include "tools/log_line.h"
#include "tools/serve_options.h"

namespace hotline::tools {

/// The program's log: lines on stderr, by spdlog. It never holds up those who write: lines go
/// through a queue of 4096 to a thread of its own; where stderr is slower than that, the oldest are
/// lost, and counted. Destroying it writes what waits, as far as stderr takes it within a second.
class Log : public Logger {
 public:
  virtual LogFormat format() const noexcept = 0;
  /// A line of its own kind; at level info.
  virtual void event(const LogLine& line) noexcept = 0;
  /// Lines that were lost so far.
  virtual std::uint64_t lost() const noexcept = 0;
};

/// Throws std::runtime_error where no thread can be had.
std::shared_ptr<Log> make_log(LogLevel level, LogFormat format);

}  // namespace hotline::tools
