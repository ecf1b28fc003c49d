#pragma once

#include <memory>

#include <hotline/base/logger.h>

namespace hotline::tools {

/// The program's log: lines on stderr with time and level, by spdlog.
std::shared_ptr<Logger> make_logger(LogLevel level);

}  // namespace hotline::tools
