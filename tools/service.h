#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace hotline::tools {

/// The service manager that started the program, if one did: told by the datagrams of sd_notify(3),
/// which are a few lines to send and no reason to link a library.
class ServiceManager {
 public:
  /// From NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID.
  static ServiceManager from_environment();

  /// An assignment a line: "READY=1\nSTATUS=…". Does nothing where nobody listens; never waits.
  void tell(std::string_view state) const noexcept;
  bool listens() const noexcept { return !socket_.empty(); }
  /// How often it wants to hear WATCHDOG=1; 0: not at all.
  std::chrono::microseconds watchdog() const noexcept { return watchdog_; }

 private:
  std::string socket_;  // a path, or '@' and an abstract name
  std::chrono::microseconds watchdog_{0};
};

/// Tells the service manager that the program is well, as long as all loops come round: a loop that
/// is stuck is noticed by its silence. Has a thread of its own.
class Watchdog {
 public:
  /// `visit(function)` has the function called once on each of `loops` loops' threads.
  using Visit = std::function<void(std::function<void()>)>;
  /// Looks three times in each period.
  Watchdog(const ServiceManager& manager, std::size_t loops, Visit visit);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog() = default;  // joins

 private:
  void watch(const std::stop_token& stop);

  const ServiceManager& manager_;
  const std::size_t loops_;
  const Visit visit_;
  std::mutex mutex_;
  std::condition_variable_any wake_;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace hotline::tools
