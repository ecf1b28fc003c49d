#pragma once

#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hotline/base/task.h>
#include <hotline/net/stream.h>
#include <hotline/net/timer.h>

#include "net/connector.h"
#include "net/resolver.h"

namespace hotline {

/// Connects to a name's addresses, as they become known, until one answers (RFC 8305): IPv6 first,
/// but not waited for longer than 50 ms when IPv4 is known; then both by turns, 250 ms apart, or at
/// once where an attempt fails. The first stream wins, and the other attempts are dropped.
///
///     ConnectRace race{loop, "example.org:80", connect_address};
///     Lookup lookup{loop, "example.org", 80, race};
///     auto stream = co_await race;
///
/// Throws Error: name_not_found, or the code of the last attempt with all addresses tried;
/// Cancelled when the server drains. Destroying it drops the attempts.
class [[nodiscard("co_await it")]] ConnectRace final : public NameListener,
                                                       private detail::Timer,
                                                       private detail::Drainable {
 public:
  using Connect = std::function<Task<StreamPointer>(Address)>;

  static constexpr Duration resolution_delay = std::chrono::milliseconds(50);
  static constexpr Duration attempt_delay = std::chrono::milliseconds(250);

  /// `target`, for messages: "host:port". `timings`, if given, outlive this.
  ConnectRace(Loop& loop, std::string target, Connect connect, ConnectTimings* timings = nullptr);
  ConnectRace(const ConnectRace&) = delete;
  ConnectRace& operator=(const ConnectRace&) = delete;
  ~ConnectRace();

  void answered(Family family, NameAnswer answer) noexcept override;

  bool await_ready() const noexcept { return settled_; }
  template <detail::TaskPromise Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = detail::Resumption{handle};
    return begin();
  }
  StreamPointer await_resume();

 private:
  class Attempt;
  struct Failed {
    Address address;
    std::error_code code;
  };

  bool begin() noexcept;
  void consider() noexcept;
  void start() noexcept;
  void try_next() noexcept;
  void ended(Attempt& attempt) noexcept;
  void settle() noexcept;
  void expired() noexcept override;
  void drain() noexcept override;
  void abandon() noexcept override;
  std::exception_ptr failure() const;

  Loop& loop_;
  std::string target_;
  Connect connect_;
  ConnectTimings* timings_;
  TimePoint begun_at_;
  TimePoint started_at_;
  std::deque<Address> known_[2];  // by family: not tried yet
  bool asked_[2] = {true, true};  // by family: not answered yet
  Family next_ = Family::ipv6;
  std::string name_failure_;
  std::vector<std::unique_ptr<Attempt>> attempts_;
  std::vector<Failed> failed_;
  StreamPointer winner_;
  std::exception_ptr exception_;
  bool started_ = false;
  bool settled_ = false;
  detail::Resumption resumption_;
};

}  // namespace hotline
