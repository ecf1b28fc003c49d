// How a connection is watched, and how it ends.
#include <algorithm>
#include <cstring>
#include <utility>

#include "net/linger.h"
#include "net/loop.h"
#include "websocket/connection_core.h"
#include "websocket/connection_extras.h"

namespace hotline::websocket {

using protocol::Opcode;

// ---- Ending

void ConnectionCore::start_close(CloseCode code, std::string_view reason) noexcept {
  if (state_ != State::open) return;
  if (streaming_out_ != StreamingOut::message) deliver_outboxes_to_the_end();
  send_close(code, reason);
  state_ = State::closing;
  closing_ = std::make_unique<Closing>(CloseStatus{code, std::string(reason), ClosedBy::us});
  has_unread_ = false;
  Timer::set(loop_, loop_.now() + settings_->limits.close_grace);
  // The answer may be here already.
  if (!pumping_ && !yielding_) post_pump();
}

// The peer broke the rules, or a limit: it is told, and not waited for.
void ConnectionCore::fail(CloseCode code, std::string_view reason) noexcept {
  send_close(code, reason);
  loop_.log(LogLevel::debug, [&] {
    return "websocket " + remote_address().to_string() + ": closing with " +
           std::to_string(static_cast<int>(code)) + " (" + std::string(reason) + ")";
  });
  end(code, reason, ClosedBy::us);
}

void ConnectionCore::end(CloseCode code, std::string_view reason, ClosedBy by) noexcept {
  if (state_ == State::ended) return;
  retain();
  closing_ = std::make_unique<Closing>(CloseStatus{code, std::string(reason), by});
  state_ = State::ended;
  has_unread_ = false;
  settling_ = false;
  if (extras_) {
    extras_->pong.reset();
    extras_->early = {};
  }
  Timer::cancel();
  if (observation_) end_observation();
  if (by == ClosedBy::transport) {
    output_.detach();
    let_go();
  } else {
    output_.flush_if_corked();
    if (output_.backlog() == 0 || output_.failed()) {
      let_go();
    } else {
      Timer::set(loop_, loop_.now() + settings_->limits.close_grace);
    }
  }
  tell_waiters();
  drop();
}

void ConnectionCore::observe(std::string_view target, const Address& client) noexcept {
  if (!settings_->observer) return;
  observation_ = std::make_unique<Observation>(*settings_->observer, target, client, loop_.now());
  observation_->opened(facts(*observation_));
}

void ConnectionCore::end_observation() noexcept {
  const auto observation = std::exchange(observation_, nullptr);
  observation->ended(facts(*observation), closing_->status, loop_.now());
}

ConnectionFacts ConnectionCore::facts(const Observation& observation) const noexcept {
  return {observation.client(), remote_address(), local_address(), observation.target(),
          subprotocol()};
}

// The stream goes its own way from here; what was written is with the system.
void ConnectionCore::let_go() noexcept {
  if (!stream_) return;
  retain();
  leave();
  Timer::cancel();
  stream_->cancel_wait(*this);
  output_.detach();
  closing_->remote = stream_->remote_address();
  closing_->local = stream_->local_address();
  if (closing_->status.closed_by() == ClosedBy::transport || output_broken_) {
    stream_.reset();
  } else {
    linger(loop_, std::move(stream_));
  }
  loop_.connection_closed();
  drop(2);  // one is the stream's
}

void ConnectionCore::tell_waiters() noexcept {
  if (extras_) {
    observe_close();
    detach_outboxes();
    dismiss_held();
  }
  if (auto* reader = std::exchange(reader_, nullptr)) reader->resumption_.resume();
  while (auto* ping = pings_) {
    pings_ = ping->next_;
    ping->resumption_.resume();
  }
  while (auto* closing = closings_) {
    closings_ = closing->next_;
    closing->resumption_.resume();
  }
}

void ConnectionCore::handle_gone(bool by_exception) noexcept {
  release_message();
  discarding_ = true;
  if (state_ != State::open) return;                  // the loop may have gone, too
  if (loop_.spreads_drain()) return discard_input();  // until it is our time
  if (by_exception && !loop_.draining()) {            // Cancelled by a drain is an ordinary ending
    start_close(CloseCode::internal_error, {});
  } else {
    start_close(loop_.draining() ? CloseCode::going_away : CloseCode::normal, {});
  }
}

void ConnectionCore::handler_ended(bool by_exception) noexcept {
  if (by_exception) start_close(CloseCode::internal_error, {});
}

void ConnectionCore::drain() noexcept {
  if (!loop_.spreads_drain()) return start_close(CloseCode::going_away, "the server drains");
  if (state_ != State::open) return;
  Timer::set(loop_, std::min(Timer::deadline(), loop_.now() + loop_.drain_delay()));
}

// The loop ends: there is no time left to send, to linger, or to hear an answer.
void ConnectionCore::abandon() noexcept {
  retain();
  output_broken_ = true;
  end(CloseCode::abnormal, "the server has ended", ClosedBy::transport);
  let_go();
  // What a handler still has of a message ends with the connection.
  release_message();
  if (auto* block = session_.take_back()) loop_.blocks().give_back(block);
  drop();
}

// ---- Time

void ConnectionCore::expired() noexcept {
  Turn turn{loop_};
  switch (state_) {
    case State::open: return watch();
    case State::closing:
      return end(CloseCode::abnormal, "the close frame was not answered in time",
                 ClosedBy::transport);
    case State::ended:  // what waits to be sent has had its time
      output_broken_ = true;
      return let_go();
  }
}

void ConnectionCore::watch() noexcept {
  if (loop_.draining()) return start_close(CloseCode::going_away, "the server drains");
  const auto& limits = settings_->limits;
  const auto now = loop_.now();

  if (std::exchange(moved_, false) || messages_ != messages_watched_) idle_since_ = now;
  if (now - idle_since_ >= limits.idle_timeout) {
    start_close(CloseCode::going_away, "idle");
    return;
  }

  // One that is read as it arrives has a limit of its own: see ReadStreamOptions.
  if (!session_.message_under_way() || messages_ != messages_watched_ || !listening_ ||
      session_.gives_pieces()) {
    messages_watched_ = messages_;
    message_since_ = now;
  } else if (now - message_since_ >= limits.message_time) {
    return fail(CloseCode::policy_violation, "the message takes too long");
  }

  // A peer that takes nothing of what waits for it.
  const bool progressed = std::exchange(progressed_, false);
  const bool waiting = output_.backlog() > 0 && !progressed;
  if (waiting && std::exchange(stalled_, waiting)) {
    return end(CloseCode::abnormal, "the peer does not read", ClosedBy::transport);
  }
  stalled_ = waiting;

  // A connection that has stopped receiving cannot hear, and a ping behind a backlog is not heard:
  // that is not the peer's fault. A peer that takes nothing of the backlog is noticed above.
  if (std::exchange(heard_, false) || has_unread_ || output_.backlog() > 0) {
    pinging_ = false;
  } else if (pinging_) {
    return fail(CloseCode::internal_error, "the peer does not answer pings");
  } else {
    pinging_ = true;
    send_ping(true);
    if (observation_) observation_->pinged(ping_number_, now);
  }
  Timer::set(loop_,
             now + std::min<Duration>(pinging_ || stalled_ ? ping_timeout() : ping_interval(),
                                      limits.idle_timeout));
}

void ConnectionCore::send_ping(bool keepalive) noexcept {
  ping_number_ += (ping_number_ % 2 != 0) == keepalive ? 2 : 1;
  const std::uint64_t number = ping_number_;
  std::array<char, sizeof number> payload;
  std::memcpy(payload.data(), &number, sizeof number);
  send_frame(Opcode::ping, payload);
}

// The answer to a keepalive ping: the next one is due an interval from here, and not only when this
// one's time is over, or proxies on the way would lose their patience.
void ConnectionCore::begin_silence() noexcept {
  if (!pinging_ || stalled_ || state_ != State::open) return;
  pinging_ = heard_ = false;
  Timer::set(loop_,
             loop_.now() + std::min<Duration>(ping_interval(), settings_->limits.idle_timeout));
}

bool ConnectionCore::start_ping(Connection::Ping& ping) noexcept {
  if (state_ != State::open) return false;
  send_ping(false);
  ping.number_ = ping_number_;
  ping.sent_at_ = loop_.now();
  auto** last = &pings_;
  while (*last) last = &(*last)->next_;
  *last = &ping;
  return true;
}

void ConnectionCore::pong_received(std::span<const char> payload) noexcept {
  if (extras_) observe_pong(payload);
  std::uint64_t number = 0;
  const bool sized = payload.size() == sizeof number;
  if (sized) std::memcpy(&number, payload.data(), sizeof number);
  const bool asked_for = sized && number <= ping_number_;  // others are allowed (5.5.3)
  const auto now = loop_.now();
  if (asked_for && number % 2 != 0 && pinging_ && number + 1 >= ping_number_) {
    // The watch looks again when the time for this pong is over.
    const auto wait = std::min<Duration>(ping_timeout(), settings_->limits.idle_timeout);
    if (state_ == State::open) measured(now - (Timer::deadline() - wait));
  }
  begin_silence();
  if (!asked_for) return;
  if (observation_) observation_->ponged(number, now);
  // A pong may answer the newest of several pings only (5.5.3): it stands for those before, too.
  while (pings_ && static_cast<Connection::Ping*>(pings_)->number_ <= number) {
    auto* ping = static_cast<Connection::Ping*>(pings_);
    pings_ = ping->next_;
    ping->round_trip_ = now - ping->sent_at_;
    if (ping->number_ == number) measured(*ping->round_trip_);
    if (observation_) observation_->round_trip(*ping->round_trip_);
    ping->resumption_.resume();
  }
}

void ConnectionCore::remove(detail::WaitNode*& list, detail::WaitNode& node) noexcept {
  for (auto** at = &list; *at; at = &(*at)->next_) {
    if (*at == &node) {
      *at = node.next_;
      return;
    }
  }
}

void ConnectionCore::cancel(Connection::Ping& ping) noexcept { remove(pings_, ping); }
void ConnectionCore::cancel(Connection::Closed& closed) noexcept { remove(closings_, closed); }

void ConnectionCore::await_end(Connection::Closed& closed) noexcept {
  closed.next_ = closings_;
  closings_ = &closed;
}

}  // namespace hotline::websocket
