#pragma once

#include <cstdint>
#include <string>

#include <hotline/base/logger.h>

namespace hotline::tools {

/// What `hotline serve` was asked for.
struct ServeOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;
  unsigned threads = 1;
  std::uint64_t message_limit = std::uint64_t{1} << 20;
  std::uint32_t fragment_limit = 4096;
  LogLevel log_level = LogLevel::info;
};

/// Serves until it is told to stop. The program's exit status.
int serve(const ServeOptions& options);

}  // namespace hotline::tools
