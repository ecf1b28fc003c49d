#include "websocket/connection_core.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "net/linger.h"
#include "net/loop.h"
#include "protocol/mask.h"
#include "protocol/utf8.h"

namespace hotline::websocket {

using protocol::Event;
using protocol::EventKind;
using protocol::Opcode;
using protocol::Role;

namespace {

// A connection that has delivered this much without suspending lets the others have a turn.
constexpr std::uint32_t fair_messages = 256;
constexpr std::uint32_t fair_bytes = 64 * 1024;
// One entry from the loop receives at most this much of a large message.
constexpr std::size_t fair_receive = 512 * 1024;

const CloseStatus open_status;

std::uint32_t budget_of(const Event& event) {
  return static_cast<std::uint32_t>(std::min<std::size_t>(event.data.size(), fair_bytes));
}

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
      subprotocol_(static_cast<std::int16_t>(origins.subprotocol)),
      remote_(stream_->remote_address()),
      local_(stream_->local_address()) {
  loop_.connection_opened();
  join(loop_);
  output_.attach(*stream_);
  if (!origins.unsent.empty()) output_.write(span_of(origins.unsent), {});
  Timer::set(loop_, idle_since_ + settings_->limits.ping_interval);
  if (origins.received.empty()) {
    listen();
  } else {
    early_ = std::make_unique<std::string>(std::move(origins.received));
    post_pump();
  }
}

ConnectionCore::~ConnectionCore() {
  release_message();
  if (auto* block = session_.take_back()) loop_.blocks().give_back(block);
}

const CloseStatus& ConnectionCore::status() const noexcept {
  return status_ && state_ == State::ended ? *status_ : open_status;
}

std::string_view ConnectionCore::subprotocol() const noexcept {
  if (subprotocol_ < 0) return {};
  return settings_->subprotocols[static_cast<std::size_t>(subprotocol_)];
}

// ---- Receiving

void ConnectionCore::ready() noexcept {
  listening_ = false;
  retain();
  std::size_t most = fair_receive;
  for (;;) {
    const auto messages = messages_;
    if (!receive()) break;
    pump();
    // What fills the room with a part of one large message is probably followed by more of it.
    if (!full_ || messages != messages_ || !session_.message_under_way()) break;
    if (state_ == State::ended || most <= received_) break;
    most -= received_;
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
  if (early_) {
    transfer.size = std::min(room.size(), early_->size());
    std::memcpy(room.data(), early_->data(), transfer.size);
    early_->erase(0, transfer.size);
    if (early_->empty()) early_.reset();
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
  full_ = transfer.size == room.size();
  received_ = transfer.size;
  return true;
}

// Handles what has been received, until a message that nobody waits for, or the end of the bytes.
void ConnectionCore::pump() noexcept {
  if (pumping_) return;  // a coroutine that was resumed from here pulls its messages itself
  pumping_ = true;
  retain();
  if (has_unread_ && reader_) {
    has_unread_ = false;
    deliver(unread_);
  }
  while (!has_unread_ && !yielding_ && state_ != State::ended) {
    Event event;
    if (!next_message(event)) {
      if (early_ && state_ != State::ended && receive()) continue;
      break;
    }
    if (reader_) {
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
  reader->message_ = session_.take_message(event);
  reader->has_message_ = true;
  holding_ = !reader->message_.owns_bytes();
  delivered_ = 1;
  delivered_bytes_ = budget_of(event);
  reader->resumption_.resume();
}

// Up to the next message; false: there is none in what has been received, or the connection has
// ended.
bool ConnectionCore::next_message(Event& event) noexcept {
  for (;;) {
    event = session_.next_event();
    switch (event.kind) {
      case EventKind::none: return false;
      case EventKind::message:
        ++messages_;
        moved_ = true;
        if (discarding_ || state_ != State::open) continue;
        return true;
      case EventKind::ping: answer_ping(event.data); break;
      case EventKind::pong: pong_received(event.data); break;
      case EventKind::close: {
        // Our own close frame may have gone first: then this is its answer.
        if (state_ == State::closing) {
          end(status_->code(), std::string(status_->reason()), ClosedBy::us);
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
  if (output_.high()) return;  // a peer that does not read is not read from either
  release_block();
  listening_ = true;
  stream_->wait_readable(*this);
}

// While nobody has anything of it and nothing is in it, a connection keeps no block.
void ConnectionCore::release_block() noexcept {
  if (holding_ || has_unread_ || !session_.has_block()) return;
  if (auto* block = session_.take_back()) loop_.blocks().give_back(block);
}

void ConnectionCore::release_message() noexcept {
  holding_ = false;
  if (held_block_) loop_.blocks().give_back(std::exchange(held_block_, nullptr));
}

void ConnectionCore::post_pump() noexcept {
  yielding_ = true;
  loop_.post([self = CoreReference{*this}] {
    self->yielding_ = false;
    self->pump();
    if (self->stream_) self->listen();
  });
}

bool ConnectionCore::read_now(Connection::Read& read) {
  if (reader_) throw Error(Fault::concurrent_read);
  release_message();
  if (state_ == State::ended) return true;
  if (delivered_ >= fair_messages || delivered_bytes_ >= fair_bytes) return false;
  Event event;
  if (has_unread_) {
    event = unread_;
    has_unread_ = false;
  } else if (state_ != State::open || !next_message(event)) {
    return state_ == State::ended;
  }
  read.message_ = session_.take_message(event);
  read.has_message_ = true;
  holding_ = !read.message_.owns_bytes();
  ++delivered_;
  delivered_bytes_ += budget_of(event);
  return true;
}

void ConnectionCore::park(Connection::Read& read) noexcept {
  reader_ = &read;
  const bool had_enough = delivered_ >= fair_messages || delivered_bytes_ >= fair_bytes;
  delivered_ = delivered_bytes_ = 0;
  if (yielding_) return;
  if (has_unread_ || had_enough || early_) {
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

// ---- Sending

bool ConnectionCore::write_now(Opcode opcode, std::span<const char> payload,
                               hotline::detail::Segment& segment) noexcept {
  moved_ = true;
  std::array<char, protocol::max_frame_header_size> header;
  if (session_.role() == Role::server) {
    const auto size = session_.frame_header(opcode, payload.size(), header);
    return output_.write({header.data(), size}, payload, &segment);
  }
  send_frame(opcode, payload);
  return output_.wait_if_high(segment);
}

// Copies what a client masks, and what must not wait for anybody.
void ConnectionCore::send_frame(Opcode opcode, std::span<const char> payload) noexcept {
  std::array<char, protocol::max_frame_header_size> header;
  if (session_.role() == Role::server) {
    const auto size = session_.frame_header(opcode, payload.size(), header);
    if (size != 0) output_.write({header.data(), size}, payload);
    return;
  }
  protocol::MaskingKey key;
  loop_.entropy().fill(std::as_writable_bytes(std::span{key}));
  const auto size = session_.frame_header(opcode, payload.size(), header, key);
  if (size == 0) return;
  std::string masked(payload.data(), payload.size());
  protocol::mask(masked, key);
  output_.write({header.data(), size}, span_of(masked));
}

void ConnectionCore::send_close(CloseCode code, std::string_view reason) noexcept {
  pong_.reset();  // nothing follows a close frame, and nothing is worth its delay
  protocol::MaskingKey key{};
  if (session_.role() == Role::client) {
    loop_.entropy().fill(std::as_writable_bytes(std::span{key}));
  }
  std::array<char, protocol::Session::max_close_frame_size> frame;
  const auto size = session_.close_frame(code, reason, frame, key);
  if (size != 0) output_.write({frame.data(), size}, {});
}

void ConnectionCore::answer_ping(std::span<const char> payload) noexcept {
  if (state_ != State::open) return;
  if (output_.backlog() == 0) {
    send_frame(Opcode::pong, payload);
  } else if (pong_) {
    pong_->assign(payload.data(), payload.size());
  } else {
    pong_ = std::make_unique<std::string>(payload.data(), payload.size());
  }
}

void ConnectionCore::output_progressed() noexcept {
  progressed_ = true;
  if (state_ == State::ended) {
    if (output_.backlog() == 0) let_go();
    return;
  }
  if (pong_ && output_.backlog() == 0) {
    const auto pong = std::exchange(pong_, nullptr);
    send_frame(Opcode::pong, span_of(*pong));
  }
  listen();
}

void ConnectionCore::output_failed(int error) noexcept {
  if (state_ == State::ended) return let_go();
  end(CloseCode::abnormal, std::error_code(error, std::system_category()).message(),
      ClosedBy::transport);
}

}  // namespace hotline::websocket
