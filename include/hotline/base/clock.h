#pragma once

#include <chrono>

namespace hotline {

using Duration = std::chrono::nanoseconds;
using TimePoint = std::chrono::time_point<std::chrono::steady_clock, Duration>;

/// The time by which a loop measures its timers: monotonic, unrelated to the calendar.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const noexcept = 0;
  /// True where time passes only when a test says so; a loop then sets no system timer.
  virtual bool is_virtual() const noexcept { return false; }
};

/// The machine's monotonic clock.
Clock& steady_clock() noexcept;

/// Time that passes only when told to; for tests. Not thread-safe.
class VirtualClock final : public Clock {
 public:
  TimePoint now() const noexcept override { return now_; }
  bool is_virtual() const noexcept override { return true; }
  void advance(Duration duration) noexcept { now_ += duration; }

 private:
  TimePoint now_{};
};

}  // namespace hotline
