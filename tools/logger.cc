#include "tools/logger.h"

#include <limits.h>
#include <poll.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <chrono>

#include <spdlog/async_logger.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

#include <hotline/base/error.h>

namespace hotline::tools {
namespace {

constexpr std::size_t queue_size = 4096;

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

// Writes each line by itself, in the log's own thread only. spdlog's own sinks would wait for ever
// for whoever reads a pipe, and the program's end with them.
class StderrSink final : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 public:
  /// What is not taken within this time, all lines together, is lost.
  void hurry(std::chrono::milliseconds time) noexcept {
    deadline_ = std::chrono::steady_clock::now() + time;
  }
  std::uint64_t lost() const noexcept { return lost_; }

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    spdlog::memory_buf_t line;
    formatter_->format(message, line);
    const char* at = line.data();
    for (auto left = line.size(); left > 0;) {
      if (!writable()) {
        ++lost_;
        return;
      }
      // So much a pipe that is writable takes without blocking (pipe(7)).
      const auto written = ::write(STDERR_FILENO, at, std::min<std::size_t>(left, PIPE_BUF));
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) {
        ++lost_;
        return;
      }
      at += written;
      left -= static_cast<std::size_t>(written);
    }
  }
  void flush_() override {}

  // Looks up from time to time whether there is still time to wait.
  bool writable() const noexcept {
    pollfd wanted{STDERR_FILENO, POLLOUT, 0};
    while (true) {
      const bool late = std::chrono::steady_clock::now() >= deadline_.load();
      if (::poll(&wanted, 1, late ? 0 : 50) > 0) return true;
      if (late) return false;
    }
  }

  std::atomic<std::chrono::steady_clock::time_point> deadline_ =
      std::chrono::steady_clock::time_point::max();
  std::atomic<std::uint64_t> lost_ = 0;
};

const char* pattern(LogFormat format) {
  // %v of the JSON form is the inside of an object already.
  return format == LogFormat::text ? "%Y-%m-%dT%H:%M:%S.%eZ %l %v"
                                   : R"({"time":"%Y-%m-%dT%H:%M:%S.%eZ","level":"%l",%v})";
}

class SpdlogLog final : public Log {
 public:
  SpdlogLog(LogLevel level, LogFormat format)
      : format_(format),
        sink_(std::make_shared<StderrSink>()),
        pool_(std::make_shared<spdlog::details::thread_pool>(queue_size, 1)),
        logger_(std::make_shared<spdlog::async_logger>(
            "hotline", sink_, pool_, spdlog::async_overflow_policy::overrun_oldest)) {
    sink_->set_formatter(std::make_unique<spdlog::pattern_formatter>(
        pattern(format), spdlog::pattern_time_type::utc));
    logger_->set_level(spdlog_level(level));
    logger_->set_error_handler([](const std::string&) {});
  }
  ~SpdlogLog() override {
    if (const auto count = lost(); count > 0) {
      write(LogLevel::warning, std::to_string(count) + " lines of the log were lost");
    }
    sink_->hurry(std::chrono::seconds(1));
    pool_.reset();  // joins the thread, which is to be done with the logger before that goes
  }

  LogFormat format() const noexcept override { return format_; }
  bool enabled(LogLevel level) const noexcept override {
    return logger_->should_log(spdlog_level(level));
  }
  void write(LogLevel level, std::string_view line) noexcept override {
    if (!enabled(level)) return;
    if (format_ == LogFormat::text) return put(level, line);
    put(level, "\"event\":\"message\",\"message\":\"" + json_escaped(line, 4096) + "\"");
  }
  void event(const LogLine& line) noexcept override { put(LogLevel::info, line.text()); }
  std::uint64_t lost() const noexcept override { return pool_->overrun_counter() + sink_->lost(); }

 private:
  void put(LogLevel level, std::string_view line) noexcept {
    logger_->log(spdlog_level(level), spdlog::string_view_t(line.data(), line.size()));
  }

  LogFormat format_;
  std::shared_ptr<StderrSink> sink_;
  std::shared_ptr<spdlog::details::thread_pool> pool_;
  std::shared_ptr<spdlog::async_logger> logger_;
};

}  // namespace

std::shared_ptr<Log> make_log(LogLevel level, LogFormat format) {
  return std::make_shared<SpdlogLog>(level, format);
}

}  // namespace hotline::tools
