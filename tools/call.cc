#include "tools/call.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/signal_set.hpp>

#include <hotline/asio.h>
#include <hotline/hotline.h>
#include <hotline/net/run.h>
#include <hotline/websocket/dialer.h>
#include <hotline/websocket/reconnecting_dialer.h>

#include "http/url.h"
#include "tools/autobahn.h"
#include "tools/call_dialer.h"
#include "tools/call_ending.h"
#include "tools/call_pings.h"
#include "tools/call_report.h"
#include "tools/call_url.h"
#include "tools/console.h"
#include "tools/option_table.h"
#include "tools/terminal_text.h"

namespace hotline::tools {
namespace {

using websocket::Connection;

// How long answers to the last line may take to begin, and a pong.
constexpr std::chrono::seconds patience{5};
constexpr std::chrono::seconds ping_patience{10};

/// One call, from the dial to the end.
class Call {
 public:
  Call(const CallOptions& options, std::string url)
      : options_(options), url_(std::move(url)), console_(options) {}

  Task<CallEnding> operator()() {
    TaskGroup watching;
    watching.spawn(watch_signals());
    work_.spawn(talk_and_tell());
    co_await work_.join();
    console_.close_prompt();
    if (!ending_.sentence.empty()) console_.say("hotline: " + ending_.sentence);
    co_await console_.said();
    co_return std::move(ending_);
  }

 private:
  // ---- signals

  // The first one says goodbye, if there is anybody to say it to; the second one goes, as SIGQUIT
  // does at once.
  Task<> watch_signals() {
    boost::asio::signal_set signals{this_loop_context(), SIGINT, SIGTERM, SIGHUP};
    signals.add(SIGQUIT);
    const int first = co_await signals.async_wait(use_task);
    if (connection_ && first != SIGQUIT) {
      TaskGroup goodbye;
      goodbye.spawn(hang_up(first == SIGINT ? websocket::CloseCode::normal
                                            : websocket::CloseCode::going_away));
      co_await signals.async_wait(use_task);
    }
    console_.give_back();
    // As whoever waits for us expects: ended by that signal.
    ::signal(first, SIG_DFL);
    ::raise(first);
  }
  Task<> hang_up(websocket::CloseCode code) {
    finished_ = true;
    auto closed = connection_->close(code);
    const auto status = co_await closed;
    // What is still to be written waits for nobody now.
    ending_ = ending_of(status, finished_);
    if (options_.pings) tell_pings();
    work_.cancel();
  }

  // ---- the call

  /// The connection that a signal would end, and that is reported on: it may close by itself when
  /// all this has gone.
  class Standing {
   public:
    Standing(Call& call, Connection& connection) : call_(call) {
      call_.connection_ = &connection;
      if (call_.options_.verbose) call_.report_->follow(connection);
    }
    Standing(const Standing&) = delete;
    Standing& operator=(const Standing&) = delete;
    ~Standing() {
      if (call_.options_.verbose) call_.report_->leave(*call_.connection_);
      call_.connection_ = nullptr;
    }

   private:
    Call& call_;
  };

  Task<> talk_and_tell() {
    std::exception_ptr failure;
    try {
      co_await talk();
    } catch (const Cancelled&) {
      throw;
    } catch (...) {
      failure = std::current_exception();
    }
    // Also where it has failed: what has come was not shown for nothing.
    try {
      co_await console_.written();
    } catch (const Cancelled&) {
      throw;
    } catch (...) {
      if (!failure) failure = std::current_exception();
    }
    if (failure) ending_ = ending_of(failure);
  }

  Task<> talk() {
    auto options = dialer_options(options_);
    if (options_.verbose) options.dial_observer = report_;
    if (options_.reconnect) {
      co_await talk_again_and_again(std::move(options));
    } else {
      const websocket::Dialer dialer{std::move(options)};
      auto connection = co_await dialer.dial(url_);
      co_await talk_by(connection);
    }
  }

  Task<> talk_again_and_again(websocket::DialerOptions options) {
    websocket::ReconnectingDialerOptions again;
    again.on_attempt = [this](const websocket::DialAttempt& attempt) { tell(attempt); };
    websocket::ReconnectingDialer dialer{url_, std::move(options), std::move(again)};
    for (;;) {
      if (console_.is_interactive()) listening_.spawn(listen_for_the_end());
      auto connection = co_await dialer.next();
      listening_.cancel();
      if (!connection) std::rethrow_exception(dialer.failure());
      again_ = false;
      co_await talk_by(*connection);
      if (!again_) co_return;
      ending_ = {};
    }
  }
  // Ctrl-D, while nobody is there to be talked to.
  Task<> listen_for_the_end() {
    try {
      co_await console_.input_ended();
    } catch (const Cancelled&) {
      throw;
    } catch (...) {  // it will be met again by whoever reads on
      co_return;
    }
    ending_ = {CallEnding::lost, "given up: nobody was reached"};
    work_.cancel();
  }
  void tell(const websocket::DialAttempt& attempt) {
    using Outcome = websocket::DialAttempt::Outcome;
    if (attempt.outcome != Outcome::lost && attempt.outcome != Outcome::failed) return;
    console_.say("* " + attempt.why + "; dialling again in " + in_seconds(attempt.wait));
  }

  Task<> talk_by(Connection& connection) {
    const Standing standing{*this, connection};
    if (options_.pings) {
      co_await ping(connection);
    } else {
      co_await converse(connection);
    }
    auto closed = connection.closed();
    const auto status = co_await closed;
    if (failure_) std::rethrow_exception(failure_);
    again_ = !finished_ && may_come_back(status);
    if (ending_.status == CallEnding::clean) ending_ = ending_of(status, finished_);
    if (ending_.status != CallEnding::clean || console_.reader_has_gone()) co_return;
    if (wanted() > received_ && !finished_) {
      ending_ = {CallEnding::failed, "the server has hung up after " + std::to_string(received_) +
                                         " of " + std::to_string(wanted()) + " messages"};
    } else if (console_.is_interactive() && !finished_ && !options_.reconnect) {
      console_.say("* the server has hung up: " + in_words(status));
    }
  }

  std::uint64_t wanted() const { return options_.once ? 1 : options_.count; }

  Task<> converse(Connection& connection) {
    if (console_.is_interactive()) {
      console_.open_prompt();
      console_.say("* connected to " + http::without_credentials(url_) + "; Ctrl-D hangs up");
    }
    TaskGroup sending;
    sending.spawn(send_all(connection));
    while (auto message = co_await connection.read()) {
      ++received_;
      last_heard_ = steady_clock().now();
      co_await console_.show(*message);
      if (received_ == wanted() || console_.reader_has_gone()) {
        finished_ = true;
        break;
      }
    }
    sending.cancel();
    auto closed = connection.close();
    co_await closed;
  }

  Task<> send_all(Connection& connection) {
    try {
      co_await send_lines(connection);
    } catch (const Cancelled&) {
      throw;
    } catch (...) {
      failure_ = std::current_exception();
    }
    if (failure_) static_cast<void>(connection.close());
  }
  Task<> send_lines(Connection& connection) {
    while (auto line = co_await console_.next_line()) {
      ++lines_;
      if (console_.is_interactive() && line->empty()) continue;
      std::string problem = "is longer than --message-limit allows";
      if (line->size() <= options_.message_limit) problem = co_await send(connection, *line);
      if (problem.empty()) continue;
      if (console_.is_interactive()) {
        console_.say("* " + problem);
        continue;
      }
      finished_ = true;
      ending_ = {CallEnding::failed, "line " + std::to_string(lines_) + " " + problem};
      break;
    }
    const bool good = ending_.status == CallEnding::clean;
    if (good && wanted() > 0) co_return;
    if (!console_.is_interactive()) {
      Duration linger{};
      if (good) linger = options_.linger;
      co_await await_answers(connection, linger);
    }
    finished_ = true;
    static_cast<void>(connection.close());
  }

  // What is wrong with the line, or "".
  Task<std::string> send(Connection& connection, const std::string& line) {
    if (options_.hex) {
      const auto bytes = parse_hex(line);
      if (!bytes) co_return "is not hexadecimal: \"" + line.substr(0, 40) + "\"";
      const auto binary = std::as_bytes(std::span{*bytes});
      co_await connection.write(binary);
    } else if (options_.binary) {
      const auto binary = std::as_bytes(std::span{line});
      co_await connection.write(binary);
    } else {
      bool bad = false;
      try {
        const std::string_view text = line;
        co_await connection.write(text);
      } catch (const Error& error) {
        if (error.code() != Fault::invalid_text) throw;
        bad = true;
      }
      if (bad) co_return "is not UTF-8 (--binary sends it as it is)";
    }
    co_return "";
  }

  // What the server answers at once stands before its pong; for what comes later there is --linger.
  Task<> await_answers(Connection& connection, Duration linger) {
    try {
      co_await deadline(patience, one_ping(connection));
    } catch (const Error& error) {
      if (error.code() != Fault::deadline_passed) throw;
    }
    const auto since = steady_clock().now();
    for (;;) {
      const auto now = steady_clock().now();
      const auto end = std::max(since, last_heard_) + linger;
      if (now >= end) co_return;
      co_await sleep(end - now);
    }
  }
  Task<> one_ping(Connection& connection) {
    if (options_.verbose) report_->pinging();
    co_await connection.ping();
  }

  // ---- --ping

  Task<> ping(Connection& connection) {
    connection.discard_input();
    try {
      co_await ping_all(connection);
    } catch (const Error& error) {
      if (error.code() != Fault::deadline_passed) throw;
      ending_ = {CallEnding::lost, "no pong for " + std::to_string(ping_patience.count()) + " s"};
    }
    const bool goodbye = finished_;  // is under way, or over, and may not be heard of any more
    finished_ = goodbye || connection.is_open();
    tell_pings();
    if (goodbye) co_return;
    auto closed = connection.close();
    co_await closed;
  }
  Task<> ping_all(Connection& connection) {
    const auto& plan = *options_.pings;
    const auto count = wanted() > 0 ? wanted() : plan.count;
    const auto start = steady_clock().now();
    while (connection.is_open()) {
      co_await deadline(ping_patience, ping_once(connection));
      const auto so_far = pings_.sent_so_far();
      if (so_far == count || console_.reader_has_gone()) break;
      const auto next = start + plan.interval * so_far;
      if (const auto now = steady_clock().now(); next > now) co_await sleep(next - now);
    }
  }
  Task<> ping_once(Connection& connection) {
    pings_.sent();
    if (options_.verbose) report_->pinging();
    const auto round_trip = co_await connection.ping();
    if (!round_trip) co_return;
    pings_.answered(*round_trip);
    console_.print("pong " + std::to_string(pings_.sent_so_far()) + " from " +
                   connection.remote_address().to_string() + ": " + in_milliseconds(*round_trip));
  }
  void tell_pings() {
    if (!std::exchange(told_pings_, true))
      console_.print(pings_.text(http::without_credentials(url_)));
  }

  const CallOptions& options_;
  const std::string url_;
  Console console_;
  std::shared_ptr<CallReport> report_ =
      std::make_shared<CallReport>([this](std::string_view line) { console_.say(line); });
  Connection* connection_ = nullptr;  // while it stands
  bool finished_ = false;             // we have hung up, or are about to
  std::exception_ptr failure_;        // of the input
  bool again_ = false;                // another dial may help
  std::uint64_t received_ = 0;
  std::uint64_t lines_ = 0;  // taken from the input
  TimePoint last_heard_{};
  PingSummary pings_;
  bool told_pings_ = false;
  CallEnding ending_;
  TaskGroup listening_;  // to the input, between two connections
  TaskGroup work_;       // last: it uses the rest
};

Task<CallEnding> make_call(const CallOptions& options, std::string url) {
  Call call{options, std::move(url)};
  co_return co_await call();
}

// What is opened later must not pass for one of them.
void open_standard_descriptors() {
  for (int descriptor = 0; descriptor <= 2; ++descriptor) {
    if (::fcntl(descriptor, F_GETFD) < 0) {
      [[maybe_unused]] const int opened = ::open("/dev/null", O_RDWR);
    }
  }
}

void check(const CallOptions& options) {
  if (options.once && options.count > 0) throw UsageError("--once: not with --count");
  if (options.hex && options.json) throw UsageError("--json: not with --hex");
  if (!options.key.empty() && options.certificate.empty()) {
    throw UsageError("--key: needs --cert");
  }
}

}  // namespace

int call(const CallOptions& options) {
  open_standard_descriptors();
  check(options);
  if (!options.autobahn.empty()) return run_autobahn(complete_url(options.autobahn));
  const auto ending = run(make_call(options, complete_url(options.url)));
  return ending.status;
}

}  // namespace hotline::tools
