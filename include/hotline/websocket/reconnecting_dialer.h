#pragma once

#include <chrono>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>

#include <hotline/base/clock.h>
#include <hotline/base/task.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/dialer.h>

namespace hotline::websocket {

/// What has become of a dial, or of the connection that it made.
struct DialAttempt {
  enum class Outcome {
    connected,
    lost,     ///< The connection has ended; by whomever.
    failed,   ///< Nothing came of a dial.
    gave_up,  ///< The same, or it was lost too soon too often, and it is no use to go on.
  };

  Outcome outcome = Outcome::connected;
  /// Dials that have failed, or led to a connection that did not last, in a row.
  unsigned failures = 0;
  /// Until the next dial, where there is one.
  Duration wait{};
  /// Why, in a sentence; what a peer wrote is escaped in it.
  std::string why = {};
  /// Of what the dial threw, if it did.
  std::error_code code = {};
};

/// How long to wait before another dial. Checked when a ReconnectingDialer is made. Times are more
/// than 0, and at most 365 days.
struct ReconnectingDialerOptions {
  /// After the first failure; after the next ones `factor` times the time before, up to `most`. Of
  /// each, the half to the whole is waited, by chance, so that many clients do not come at once.
  std::chrono::milliseconds first{500};
  std::chrono::milliseconds most{60'000};
  /// At least 1.
  double factor = 2;
  /// A connection that has lasted so long ends the row of failures.
  std::chrono::milliseconds lasting{10'000};
  /// After a close with 1012, service restart, at least a time between these, by chance.
  std::chrono::milliseconds restart_least{5'000};
  std::chrono::milliseconds restart_most{30'000};
  /// After a close with 1013, try again later, at least once to twice this.
  std::chrono::milliseconds busy{30'000};
  /// What Retry-After says is waited, but no longer than this.
  std::chrono::milliseconds longest_retry_after{3600'000};
  /// After so many failures in a row it gives up. Nothing: it never does for that.
  std::optional<unsigned> most_failures = {};
  /// Told of each, on the loop's thread, before it waits. Null: nobody.
  std::function<void(const DialAttempt&)> on_attempt = nullptr;
};

/// Connects again and again:
///
///     ReconnectingDialer dialer{"wss://example.org/feed", {.origin = "https://example.org"}};
///     while (auto connection = co_await dialer.next()) {
///       while (auto message = co_await connection->read()) { ... }
///     }
///     std::cerr << dialer.why() << '\n';
///
/// It waits longer after each failure in a row, longer still where the server asks for it (close
/// codes 1012 and 1013; Retry-After), and gives up on what cannot succeed: a URL or option that is
/// none, a certificate that is rejected, and any answer but 408, 421, 425, 429 and those of 500 to
/// 599 that may pass (all but 501 and 505); by a proxy, likewise (but for 404), and where it does
/// not let us in. For one loop's thread, and one next() at a time.
class ReconnectingDialer {
 public:
  /// Throws Error (bad_option).
  explicit ReconnectingDialer(std::string_view url, DialerOptions dialer = {},
                              ReconnectingDialerOptions options = {});

  /// The next connection, whatever it takes; nullopt when it has given up, as often as it is asked.
  /// To be called when the connection before has ended, or is dropped. Throws Cancelled when the
  /// server drains, and what a hook throws that is no Error. Dropping the Task cancels; next() then
  /// goes on where it was.
  [[nodiscard]] Task<std::optional<Connection>> next() &;
  Task<std::optional<Connection>> next() && = delete;

  /// Why it has given up, in a sentence; "" while it has not.
  const std::string& why() const noexcept;
  /// What the last dial threw, or connection_reset for one that was lost; null while it has not
  /// given up.
  const std::exception_ptr& failure() const noexcept;
  /// What the server answered last.
  const http::ResponseHead& response() const noexcept;

 private:
  class State;
  std::shared_ptr<State> state_;
};

}  // namespace hotline::websocket
