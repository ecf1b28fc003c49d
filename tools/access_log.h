#pragma once

#include <memory>

#include <hotline/http/observer.h>
#include <hotline/websocket/observer.h>

#include "tools/logger.h"

namespace hotline::tools {

/// Writes a line for each request, and one for each WebSocket connection's end, at level info.
class AccessLog {
 public:
  explicit AccessLog(std::shared_ptr<Log> log) : log_(std::move(log)) {}

  bool enabled() const noexcept { return log_->enabled(LogLevel::info); }
  void request_ended(const http::RequestRecord& record) noexcept;
  void ended(const websocket::ConnectionRecord& record) noexcept;

 private:
  std::shared_ptr<Log> log_;
};

}  // namespace hotline::tools
