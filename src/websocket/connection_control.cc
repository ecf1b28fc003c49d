// How a connection is looked at and steered from outside: round trips, keepalive, observers.
#include <algorithm>
#include <exception>

#include "base/time_option.h"
#include "net/loop.h"
#include "websocket/connection_core.h"
#include "websocket/connection_extras.h"

namespace hotline::websocket {

namespace {

std::string_view text_of(std::span<const char> payload) { return {payload.data(), payload.size()}; }

}  // namespace

std::optional<Duration> ConnectionCore::round_trip_time() const noexcept {
  if (round_trip_ == 0) return std::nullopt;
  return std::chrono::microseconds{round_trip_};
}

// RFC 6298, 2.2 and 2.3.
void ConnectionCore::measured(Duration round_trip) noexcept {
  const auto count = std::chrono::duration_cast<std::chrono::microseconds>(round_trip).count();
  const auto sample = static_cast<std::uint64_t>(std::clamp<std::int64_t>(count, 1, UINT32_MAX));
  const std::uint64_t smoothed =
      round_trip_ == 0 ? sample : (7 * std::uint64_t{round_trip_} + sample) / 8;
  round_trip_ = static_cast<std::uint32_t>(std::max<std::uint64_t>(smoothed, 1));
}

TimePoint ConnectionCore::last_heard() {
  auto& heard_at = extras().heard_at;
  if (!heard_at) heard_at = idle_since_;
  return *heard_at;
}

void ConnectionCore::note_heard() noexcept {
  if (extras_->heard_at) extras_->heard_at = loop_.now();
}

void ConnectionCore::set_keepalive(Duration interval, Duration timeout) {
  check_time(interval, "set_keepalive: the interval");
  check_time(timeout, "set_keepalive: the timeout");
  extras().keepalive = ConnectionExtras::Keepalive{interval, timeout};
  if (!is_open()) return;
  pinging_ = false;
  Timer::set(loop_, loop_.now() + std::min<Duration>(interval, settings_->limits.idle_timeout));
}

Duration ConnectionCore::ping_interval() const noexcept {
  return extras_ && extras_->keepalive ? extras_->keepalive->interval
                                       : Duration{settings_->limits.ping_interval};
}

Duration ConnectionCore::ping_timeout() const noexcept {
  return extras_ && extras_->keepalive ? extras_->keepalive->timeout
                                       : Duration{settings_->limits.ping_timeout};
}

// ---- Observers

template <typename Observer, typename Argument>
void ConnectionCore::tell_observer(Observer& observer, const Argument& argument) noexcept {
  if (!observer) return;
  const CoreReference alive{*this};
  try {
    const auto copy = observer;  // it may be replaced while it runs
    copy(argument);
  } catch (const std::exception& exception) {
    loop_.log(LogLevel::error, [&] {
      return "websocket " + remote_address().to_string() +
             ": an observer threw: " + escaped(exception.what());
    });
    start_close(CloseCode::internal_error, {});
  } catch (...) {
    loop_.log(LogLevel::error,
              [&] { return "websocket " + remote_address().to_string() + ": an observer threw"; });
    start_close(CloseCode::internal_error, {});
  }
}

void ConnectionCore::observe_ping(std::span<const char> payload) noexcept {
  tell_observer(extras_->on_ping, text_of(payload));
}

void ConnectionCore::observe_pong(std::span<const char> payload) noexcept {
  tell_observer(extras_->on_pong, text_of(payload));
}

void ConnectionCore::observe_close() noexcept {
  // Once.
  auto observer = std::exchange(extras_->on_close, nullptr);
  tell_observer(observer, status());
}

// ---- Connection

std::optional<Duration> Connection::round_trip_time() const noexcept {
  return core_->round_trip_time();
}
TimePoint Connection::last_heard() { return core_->last_heard(); }
void Connection::set_keepalive(Duration interval, Duration timeout) {
  core_->set_keepalive(interval, timeout);
}
void Connection::on_ping(std::function<void(std::string_view)> observer) {
  core_->extras().on_ping = std::move(observer);
}
void Connection::on_pong(std::function<void(std::string_view)> observer) {
  core_->extras().on_pong = std::move(observer);
}
void Connection::on_close(std::function<void(const CloseStatus&)> observer) {
  core_->extras().on_close = std::move(observer);
}

}  // namespace hotline::websocket
