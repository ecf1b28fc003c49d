#pragma once

#include <algorithm>
#include <chrono>
#include <optional>

#include <hotline/base/clock.h>
#include <hotline/base/error.h>

#include "http/body_decoder.h"

namespace hotline::http {

/// The body of the request under way, what has become of it, and the time that it takes.
class RequestBody {
 public:
  /// So much of a body that nobody read is dropped for the sake of the next request, frames of
  /// chunks counted in.
  static constexpr std::size_t most_skipped = 64 * 1024;

  RequestBody(const HeadLimits& limits, const BodyFraming& framing, bool expects) noexcept
      : decoder(limits, framing), expects_continue(expects) {}

  struct Failure {
    Refusal refusal;
    Fault fault;
  };

  /// The next bytes are waited for: until when.
  TimePoint wait(TimePoint now, std::chrono::milliseconds timeout, std::uint64_t rate) noexcept {
    static constexpr std::uint64_t a_year = 365 * 86'400;
    const std::chrono::seconds earned{std::min(decoder.received() / rate, a_year)};
    since_ = now;
    waits_ = true;
    deadline_ = now + std::clamp<Duration>(timeout + earned - waited_, Duration{}, timeout);
    return deadline_;
  }
  /// They have come, or are not waited for any more.
  void stop_waiting(TimePoint now) noexcept {
    if (!waits_) return;
    waits_ = false;
    waited_ += now - since_;
    deadline_ = TimePoint::max();
  }
  bool waits() const noexcept { return waits_; }
  TimePoint deadline() const noexcept { return deadline_; }

  BodyDecoder decoder;
  std::optional<Failure> failure;
  std::size_t skipped = 0;
  /// The client waits for "100 Continue".
  bool expects_continue;
  /// The handler has a piece, which lies in the session's block.
  bool lent = false;

 private:
  bool waits_ = false;
  TimePoint since_{};
  Duration waited_{};
  TimePoint deadline_ = TimePoint::max();
};

}  // namespace hotline::http
