#include <hotline/websocket/reconnecting_dialer.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include <hotline/http/proxy_refused.h>
#include <hotline/net/sleep.h>

#include "base/time_option.h"
#include "http/http_date.h"
#include "net/loop.h"
#include "websocket/connection_core.h"

namespace hotline::websocket {
namespace {

using std::chrono::milliseconds;

void check(const ReconnectingDialerOptions& options) {
  const auto reject = [](const char* what) { throw Error(Fault::bad_option, what); };
  check_time(options.first, "first");
  check_time(options.most, "most");
  check_time(options.lasting, "lasting");
  check_time(options.restart_least, "restart_least");
  check_time(options.restart_most, "restart_most");
  check_time(options.busy, "busy");
  check_time(options.longest_retry_after, "longest_retry_after");
  if (options.most < options.first) reject("most: less than first");
  if (options.restart_most < options.restart_least) reject("restart_most: less than restart_least");
  if (!(options.factor >= 1) || !std::isfinite(options.factor)) reject("factor: at least 1");
  if (options.most_failures == 0u) reject("most_failures: at least 1");
}

// From `least` to `most`, by chance.
Duration between(Loop& loop, Duration least, Duration most) {
  const auto range = static_cast<std::uint64_t>((most - least).count()) + 1;
  return least + Duration(static_cast<Duration::rep>(loop.entropy().number() % range));
}

// Whether another time the answer may be a better one.
bool may_pass(int status) {
  switch (status) {
    case 408:
    case 421:
    case 425:
    case 429: return true;
    case 501:
    case 505: return false;
    default: return status >= 500;
  }
}

bool may_succeed(const Error& error) {
  if (const auto* refused = dynamic_cast<const DialRefused*>(&error)) {
    return may_pass(refused->status());
  }
  // Its answer, or SOCKS5's code: 2 where its rules forbid it, 255 for who asks. Of a name that it
  // does not find another time it may know more.
  if (const auto* refused = dynamic_cast<const http::ProxyRefused*>(&error)) {
    const auto status = refused->status();
    return status < 100 ? status != 2 : status == 404 || may_pass(status);
  }
  return !error.is(Condition::misuse) && !error.is(Condition::certificate_rejected);
}

// Seconds, or a date, which counts from the server's own (RFC 9110 10.2.3).
std::optional<Duration> retry_after(const http::ResponseHead& head) {
  const auto text = head.header("Retry-After");
  if (text.empty()) return std::nullopt;
  constexpr std::int64_t most = std::int64_t{400} * 24 * 3600;
  std::int64_t seconds = 0;
  if (text.find_first_not_of("0123456789") == std::string_view::npos) {
    const auto error = std::from_chars(text.data(), text.data() + text.size(), seconds).ec;
    if (error != std::errc{}) seconds = most;
  } else if (const auto date = http::parse_http_date(text)) {
    const auto now = http::parse_http_date(head.header("Date"));
    seconds = static_cast<std::int64_t>(*date - now.value_or(std::time(nullptr)));
  } else {
    return std::nullopt;
  }
  return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, most));
}

std::string describe(const CloseStatus& status) {
  auto text = "the connection has ended, " + std::to_string(static_cast<int>(status.code()));
  if (!status.reason().empty()) text += ": " + escaped(status.reason());
  return text;
}

}  // namespace

class ReconnectingDialer::State {
 public:
  State(std::string_view url, DialerOptions dialer, ReconnectingDialerOptions options)
      : url_(url), dialer_(std::move(dialer)), options_(std::move(options)) {
    check(options_);
  }

  static Task<std::optional<Connection>> next(std::shared_ptr<State> self) {
    auto& loop = Loop::require();
    self->look_back(loop);
    while (!self->failure_) {
      if (const auto now = loop.now(); now < self->not_before_) {
        co_await sleep(self->not_before_ - now);
      }
      try {
        Connection connection = co_await self->dialer_.dial(self->url_, &self->response_);
        self->connected(loop, connection);
        co_return std::optional<Connection>{std::move(connection)};
      } catch (const Error& error) {
        if (error.code() == Fault::cancelled) throw;
        self->failed(loop, error, std::current_exception());
      }
    }
    co_return std::nullopt;
  }

  const std::string& why() const noexcept { return why_; }
  const std::exception_ptr& failure() const noexcept { return failure_; }
  const http::ResponseHead& response() const noexcept { return response_; }

 private:
  void tell(DialAttempt attempt) {
    if (options_.on_attempt) options_.on_attempt(attempt);
  }

  void connected(Loop& loop, Connection& connection) {
    connected_at_ = loop.now();
    core_ = CoreReference{connection.core()};
    tell({.outcome = DialAttempt::Outcome::connected, .failures = failures_});
  }

  // What has become of the connection that was given out last.
  void look_back(Loop& loop) {
    if (!core_) return;
    const CloseStatus status = core_->status();
    core_ = CoreReference{};
    const bool lasted = loop.now() - connected_at_ >= options_.lasting;
    if (lasted) failures_ = 0;
    ++failures_;
    if (!lasted && too_often()) {
      const Error error{Fault::connection_reset, describe(status)};
      return give_up(error, std::make_exception_ptr(error));
    }
    auto wait = backoff(loop);
    if (status.closed_by() == ClosedBy::peer) {
      if (status.code() == CloseCode::service_restart) {
        wait = std::max(wait, between(loop, options_.restart_least, options_.restart_most));
      } else if (status.code() == CloseCode::try_again_later) {
        wait = std::max(wait, between(loop, options_.busy, 2 * options_.busy));
      }
    }
    not_before_ = loop.now() + wait;
    tell({.outcome = DialAttempt::Outcome::lost,
          .failures = failures_,
          .wait = wait,
          .why = describe(status)});
  }

  void failed(Loop& loop, const Error& error, const std::exception_ptr& exception) {
    ++failures_;
    if (too_often() || !may_succeed(error)) return give_up(error, exception);
    auto wait = backoff(loop);
    if (const auto* refused = dynamic_cast<const DialRefused*>(&error)) {
      if (const auto asked = retry_after(refused->response())) {
        // A little more, by chance: others have been told the same.
        const auto least = std::min<Duration>(*asked, options_.longest_retry_after);
        wait = std::max(wait, between(loop, least, least + options_.first));
      }
    }
    not_before_ = loop.now() + wait;
    tell({.outcome = DialAttempt::Outcome::failed,
          .failures = failures_,
          .wait = wait,
          .why = error.what(),
          .code = error.code()});
  }

  bool too_often() const { return options_.most_failures && failures_ >= *options_.most_failures; }
  void give_up(const Error& error, const std::exception_ptr& exception) {
    failure_ = exception;
    why_ = error.what();
    tell({.outcome = DialAttempt::Outcome::gave_up,
          .failures = failures_,
          .why = why_,
          .code = error.code()});
  }

  Duration backoff(Loop& loop) const {
    const auto most = static_cast<double>(options_.most.count());
    const auto grown = static_cast<double>(options_.first.count()) *
                       std::pow(options_.factor, static_cast<double>(failures_ - 1));
    const Duration whole = milliseconds(static_cast<milliseconds::rep>(std::min(grown, most)));
    return between(loop, whole / 2, whole);
  }

  std::string url_;
  Dialer dialer_;
  ReconnectingDialerOptions options_;
  http::ResponseHead response_;
  CoreReference core_;  // of the connection that was given out last
  TimePoint connected_at_{};
  TimePoint not_before_{};
  unsigned failures_ = 0;
  std::exception_ptr failure_;
  std::string why_;
};

ReconnectingDialer::ReconnectingDialer(std::string_view url, DialerOptions dialer,
                                       ReconnectingDialerOptions options)
    : state_(std::make_shared<State>(url, std::move(dialer), std::move(options))) {}

Task<std::optional<Connection>> ReconnectingDialer::next() & { return State::next(state_); }
const std::string& ReconnectingDialer::why() const noexcept { return state_->why(); }
const std::exception_ptr& ReconnectingDialer::failure() const noexcept { return state_->failure(); }
const http::ResponseHead& ReconnectingDialer::response() const noexcept {
  return state_->response();
}

}  // namespace hotline::websocket
