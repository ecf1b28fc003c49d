// How an HTTP/1.1 session ends: when all is sent, by its client, out of time, or in a drain.
#include <sys/socket.h>

#include <algorithm>
#include <utility>

#include "http/http1_exchange.h"
#include "http/http1_session.h"
#include "http/worker.h"

namespace hotline::http {
namespace {

constexpr std::chrono::milliseconds longest_linger{2'000};

}  // namespace

void Http1Session::close_when_sent() noexcept {
  give_back_block();
  std::string{}.swap(partial_);
  output_.flush_if_corked();
  if (output_.failed()) return end();
  if (output_.backlog() > 0) return want(worker_.options().idle_timeout);
  stream_->shut_down();
  if (input_ended_) return end();
  // Closing with unread bytes would reset the connection, and the client lose the answer (RFC
  // 9112 9.6).
  state_ = State::lingering;
  want(longest_linger);
  listen();
}

// The client has gone, or cannot be reached.
void Http1Session::hang_up(std::string_view reason) noexcept {
  if (exchange_) {
    record(RequestEnd::abandoned, status_of_abandoned, streamed_ ? streamed_->bytes : 0, reason);
    std::exchange(exchange_, nullptr)->client_gone();
  }
  end();
}

// The client shall not take what it has for the whole.
void Http1Session::reset() noexcept {
  output_.flush_if_corked();
  if (const auto descriptor = stream_->descriptor(); descriptor >= 0) {
    const ::linger at_once{1, 0};
    ::setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
  }
  end();
}

void Http1Session::end() noexcept {
  state_ = State::ended;
  if (!processing_) delete this;
}

void Http1Session::output_progressed() noexcept {
  if (state_ == State::closing) return close_when_sent();
  if (state_ == State::handling && streamed_) {
    deadline_ = TimePoint::max();
    // A client that has shut down is not heard to go: nothing that goes out any more ends it.
    if (output_.backlog() > 0 || input_ended_) want(worker_.options().idle_timeout);
    return;
  }
  if (state_ != State::reading || yielded_) return;
  if (!in_head_) want(worker_.options().idle_timeout);
  if (is_parked() && !run_ && !output_.high()) resume();
}

void Http1Session::output_failed(int) noexcept { hang_up("the connection was lost"); }

// The timer is moved only where it must ring earlier: most deadlines are replaced before they come.
void Http1Session::want(std::chrono::milliseconds timeout) noexcept {
  deadline_ = worker_.loop().now() + timeout;
  arm(deadline_);
}

void Http1Session::arm(TimePoint deadline) noexcept {
  if (!is_set() || Timer::deadline() > deadline) set(worker_.loop(), deadline);
}

void Http1Session::expired() noexcept {
  const auto now = worker_.loop().now();
  const auto of_body = body_ ? body_->deadline() : TimePoint::max();
  if (now < deadline_ && now < of_body) {
    if (const auto next = std::min(deadline_, of_body); next != TimePoint::max()) arm(next);
    return;
  }
  if (now >= of_body) {
    if (now < deadline_ && deadline_ != TimePoint::max()) arm(deadline_);
    body_->stop_waiting(now);
    fail_body({Status::request_timeout, "the request's body came too slowly"},
              Fault::deadline_passed);
    return wake_body_reader();
  }
  switch (state_) {
    case State::reading:
      if (!in_head_) return end();
      refuse(worker_.loop().draining()
                 ? Refusal{Status::service_unavailable, "the server is going away"}
                 : Refusal{Status::request_timeout, "the request's head took too long"});
      return settle();
    case State::skipping: state_ = State::closing; return close_when_sent();
    case State::handling: return hang_up("the client took nothing of its answer");
    default: return end();
  }
}

void Http1Session::drain() noexcept {
  // One that is busy says in its next answer that it is the last. One that is idle closes; where a
  // request is on its way in, it has a little more time.
  if (yielded_) return;
  if (state_ == State::skipping) {
    state_ = State::closing;
    return close_when_sent();
  }
  if (state_ == State::reading && in_head_ && deadline_ > worker_.loop().now() + drain_grace) {
    want(drain_grace);
  }
  if (!is_idle()) return;
  stream_->cancel_wait(*this);
  receiving_ = false;
  receive();
}

}  // namespace hotline::http
