#include "websocket/connection_core.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "net/linger.h"
#include "net/loop.h"
#include "protocol/session_small.h"
#include "websocket/connection_extras.h"

namespace hotline::websocket {

using protocol::Event;
using protocol::EventKind;
using protocol::Role;

namespace {

// One entry from the loop receives at most so many times for a large message.
constexpr int fair_rounds = 8;

const CloseStatus open_status;

std::span<const char> span_of(std::string_view text) { return {text.data(), text.size()}; }

}  // namespace

ConnectionSettings::ConnectionSettings(const Limits& connection_limits)
    : limits(connection_limits),
      session{.message_size = connection_limits.message_size,
              .fragments = connection_limits.fragments} {}

ConnectionCore::ConnectionCore(Loop& loop, Role role, StreamPointer stream,
                               std::shared_ptr<const ConnectionSettings> settings, Origins origins)
    : loop_(loop),
      stream_(std::move(stream)),
      settings_(std::move(settings)),
      session_(role, settings_->session),
      output_(loop, *this),
      idle_since_(loop.now()),
      subprotocol_(static_cast<std::int16_t>(origins.subprotocol)) {
  loop_.connection_opened();
  join(loop_);
  output_.attach(*stream_);
  session_.hold_large();
  if (!origins.unsent.empty()) output_.write(span_of(origins.unsent), {});
  const auto& limits = settings_->limits;
  Timer::set(loop_, idle_since_ + std::min(limits.ping_interval, limits.idle_timeout));
  if (origins.received.empty()) {
    listen();
  } else {
    extras().early = std::move(origins.received);
    post_pump();
  }
}

ConnectionCore::~ConnectionCore() {
  release_message();
  if (auto* block = session_.take_back()) loop_.blocks().give_back(block);
}

const CloseStatus& ConnectionCore::status() const noexcept {
  return closing_ && state_ == State::ended ? closing_->status : open_status;
}

std::string_view ConnectionCore::subprotocol() const noexcept {
  if (subprotocol_ < 0) return {};
  return settings_->subprotocols[static_cast<std::size_t>(subprotocol_)];
}

// ---- Receiving

void ConnectionCore::ready() noexcept {
  listening_ = false;
  written_ = 0;
  if (yielding_) return;  // the step that was posted receives
  retain();
  for (int rounds = 1;; ++rounds) {
    const auto messages = messages_;
    if (!receive()) break;
    pump();
    // What fills the room with a part of one large message is probably followed by more of it.
    if (!full_ || messages != messages_ || !session_.message_under_way()) break;
    if (state_ == State::ended || rounds == fair_rounds) break;
  }
  if (stream_) listen();
  drop();
}

// One recv, or a portion of what came before there was a session. False: nothing came, or the end.
bool ConnectionCore::receive() noexcept {
  std::span<char> room;
  if (holding_) {
    room = session_.prepare_behind();
    if (room.empty()) {
      // The block stays with the message that the handler has; receiving goes on in another.
      held_block_ = session_.take_back();
      holding_ = false;
    }
  }
  if (room.empty()) {
    if (session_.wants_block()) session_.lend(loop_.blocks().take());
    room = session_.prepare();
  }
  Transfer transfer;
  if (has_early()) [[unlikely]] {
    transfer.size = take_early(room);
  } else {
    transfer = stream_->try_read(room);
    if (transfer.would_block()) {
      release_block();
      return false;
    }
    if (transfer.failed()) {
      end(CloseCode::abnormal, transfer.code().message(), ClosedBy::transport);
      return false;
    }
    if (transfer.ended()) {
      session_.ended();
      full_ = false;
      return true;
    }
  }
  session_.received(transfer.size);
  heard_ = true;
  if (extras_) [[unlikely]]
    note_heard();
  full_ = transfer.size == room.size();
  return true;
}

// Handles what has been received, until a message that nobody waits for, or the end of the bytes.
void ConnectionCore::pump() noexcept {
  if (pumping_) return;  // a coroutine that was resumed from here pulls its messages itself
  pumping_ = true;
  retain();
  if (has_unread_ && reader_) {
    has_unread_ = false;
    if (unread_.kind == EventKind::large) {
      refuse_large();
    } else {
      deliver(unread_);
    }
  }
  while (!has_unread_ && !yielding_ && state_ != State::ended) {
    Event event;
    if (!next_message(event)) {
      if (has_early() && state_ != State::ended && receive()) continue;
      break;
    }
    if (reader_ && event.kind == EventKind::large) {
      refuse_large();
    } else if (reader_) {
      deliver(event);
    } else {
      unread_ = event;
      has_unread_ = true;
    }
  }
  pumping_ = false;
  drop();
}

void ConnectionCore::deliver(const Event& event) noexcept {
  auto* reader = std::exchange(reader_, nullptr);
  hand_over(event, *reader);
  reader->resumption_.resume();
}

// Up to the next message; false: there is none in what has been received, or the connection has
// ended.
bool ConnectionCore::next_message(Event& event) noexcept {
  event = session_.next_event();
  return settle(event);
}

// Handles `event` and those behind it, up to the next message.
bool ConnectionCore::settle(Event& event) noexcept {
  for (;; event = session_.next_event()) {
    switch (event.kind) {
      case EventKind::none: return false;
      case EventKind::message:
      case EventKind::piece:
        ++messages_;
        if (observation_) [[unlikely]]
          observation_->received(event.data.size(), session_.message_under_way() ? 0 : 1);
        if (discarding_ || state_ != State::open) continue;
        return true;
      case EventKind::large:
        if (!discarding_) return true;
        refuse_large();
        return false;
      case EventKind::ping:
        answer_ping(event.data);
        if (extras_) observe_ping(event.data);
        break;
      case EventKind::pong: pong_received(event.data); break;
      case EventKind::close: {
        // Our own close frame may have gone first: then this is its answer.
        if (state_ == State::closing) {
          const auto& ours = closing_->status;
          end(ours.code(), std::string(ours.reason()), ClosedBy::us);
        } else {
          const std::string reason{event.text()};
          send_close(event.code, {});
          end(event.code, reason, ClosedBy::peer);
        }
        return false;
      }
      case EventKind::failure: fail(event.code, event.text()); return false;
      case EventKind::ended:
        end(CloseCode::abnormal, "the peer ended the stream without a close frame",
            ClosedBy::transport);
        return false;
    }
    if (state_ == State::ended) return false;
  }
}

void ConnectionCore::listen() noexcept {
  if (listening_ || yielding_ || has_unread_ || !stream_ || state_ == State::ended) return;
  // A peer that does not read is not read from either; but where somebody waits for its messages
  // two ends that push at once would wait for each other.
  if (state_ == State::open && output_.high() && !reader_ && !discarding_) return;
  release_block();
  listening_ = true;
  stream_->wait_readable(*this);
}

// While nobody has anything of it and nothing is in it, a connection keeps no block.
void ConnectionCore::release_block() noexcept {
  if (holding_ || has_unread_ || !session_.has_block()) return;
  if (auto* block = session_.take_back()) loop_.blocks().give_back(block);
}

void ConnectionCore::give_back_held() noexcept {
  loop_.blocks().give_back(std::exchange(held_block_, nullptr));
}

void ConnectionCore::post_pump() noexcept {
  yielding_ = true;
  loop_.post([self = CoreReference{*this}] {
    self->yielding_ = false;
    self->written_ = 0;
    self->pump();
    if (self->stream_) self->listen();
  });
}

// The commonest way first: the next message lies whole in the block.
[[gnu::always_inline]] inline bool ConnectionCore::read_now(Connection::Read& read) {
  if (reader_ || settling_) throw Error(Fault::concurrent_read);
  release_message();
  if (state_ == State::open && !has_unread_ && !discarding_ && !had_enough()) [[likely]] {
    if (const auto small = session_.next_small(); small.data) [[likely]] {
      ++messages_;
      if (observation_) [[unlikely]]
        observation_->received(small.size);
      read.data_ = small.data;
      read.size_ = small.size;
      read.opcode_ = small.opcode;
      read.found_ = Connection::Read::Found::in_block;
      holding_ = true;
      delivered_ += share_of(small.size);
      return true;
    }
    return read_behind(read);
  }
  return read_slowly(read);
}

// The next event is something else than a small message.
bool ConnectionCore::read_behind(Connection::Read& read) noexcept {
  auto event = session_.next_event();
  // What this wakes (a ping's waiter) may try to read, too: this read is under way already.
  settling_ = true;
  const bool found = settle(event);
  settling_ = false;
  if (found && event.kind == EventKind::large) refuse_large();
  if (!found || state_ == State::ended) return state_ == State::ended;
  hand_over(event, read);
  return true;
}

bool ConnectionCore::read_slowly(Connection::Read& read) noexcept {
  if (state_ == State::ended) return true;
  if (had_enough()) return false;
  Event event;
  if (has_unread_) {
    event = unread_;
    has_unread_ = false;
    if (!pumping_ && !yielding_) post_pump();  // receiving had stopped for it
  } else if (state_ != State::open || !next_message(event)) {
    return state_ == State::ended;
  }
  if (event.kind == EventKind::large) {
    refuse_large();
    return true;
  }
  hand_over(event, read);
  return true;
}

inline void ConnectionCore::hand_over(const Event& event, Connection::Read& read) noexcept {
  read.data_ = event.data.data();
  read.size_ = event.data.size();
  read.opcode_ = event.opcode;
  // A message in the block keeps the block; one in a buffer of its own takes that with it.
  holding_ = !session_.owns_message();
  read.found_ = holding_ ? Connection::Read::Found::in_block : Connection::Read::Found::in_body;
  delivered_ += share_of(event.data.size());
}

std::optional<Message> Connection::Read::take_body() noexcept {
  return core_.take_message(opcode_, {data_, size_});
}

inline bool ConnectionCore::has_early() const noexcept {
  return extras_ && !extras_->early.empty();
}

std::size_t ConnectionCore::take_early(std::span<char> room) noexcept {
  auto& early = extras_->early;
  const auto size = early.copy(room.data(), room.size());
  if (size == early.size()) {
    early = {};  // its memory, too
  } else {
    early.erase(0, size);
  }
  return size;
}

bool Connection::Read::await_ready() { return core_.read_now(*this); }

void ConnectionCore::park(Connection::Read& read) noexcept {
  reader_ = &read;
  const bool yields = had_enough();
  delivered_ = 0;
  if (yielding_) return;
  if (has_unread_ || yields || has_early()) {
    post_pump();
  } else if (!pumping_) {
    listen();
  }
}

void ConnectionCore::cancel(Connection::Read& read) noexcept {
  if (reader_ == &read) reader_ = nullptr;
}

void ConnectionCore::discard_input() noexcept {
  discarding_ = true;
  if (!has_unread_) return;
  has_unread_ = false;
  if (!yielding_) post_pump();
}

}  // namespace hotline::websocket
