// What a connection sends: messages, control frames, and what waits when the peer is slow.
#include <array>
#include <cstring>
#include <memory>
#include <utility>

#include "net/loop.h"
#include "protocol/mask.h"
#include "protocol/utf8.h"
#include "websocket/connection_core.h"
#include "websocket/connection_extras.h"

namespace hotline::websocket {

using protocol::Opcode;
using protocol::Role;

namespace {

std::span<const char> span_of(std::string_view text) { return {text.data(), text.size()}; }

template <std::size_t size>
void copy(char* to, const char* from) noexcept {
  std::memcpy(to, from, size);
}

// memcpy without the call, for what fits a small frame: pieces of one size, the last of which
// overlaps the one before.
inline void copy_small(char* to, const char* from, std::size_t size) noexcept {
  if (size >= 16) {
    for (std::size_t at = 0; at + 16 < size; at += 16) copy<16>(to + at, from + at);
    copy<16>(to + size - 16, from + size - 16);
  } else if (size >= 8) {
    copy<8>(to, from);
    copy<8>(to + size - 8, from + size - 8);
  } else if (size >= 4) {
    copy<4>(to, from);
    copy<4>(to + size - 4, from + size - 4);
  } else {
    for (std::size_t at = 0; at < size; ++at) to[at] = from[at];
  }
}

}  // namespace

bool Connection::Write::await_ready() {
  const std::span payload{data_, size_};
  if (kind_ == static_cast<std::uint8_t>(Opcode::text) && !protocol::valid_utf8(payload)) {
    throw Error(Fault::invalid_text, "write");
  }
  if (!core_.is_open()) return true;
  if (core_.is_streaming_out()) [[unlikely]] {
    core_.hold(*this);
    return false;
  }
  const bool waits = core_.write_now(static_cast<Opcode>(kind_ & 0x0F), payload, *this);
  taken_ = !core_.output_failed_already();
  return !waits && !core_.wrote_enough(size_);
}

bool Connection::WritePrepared::await_ready() {
  if (!core_.is_open()) return true;
  if (core_.is_streaming_out()) {
    core_.hold(*this, &frame_);
    return false;
  }
  const bool waits = core_.write_prepared(frame_, this);
  taken_ = !core_.output_failed_already();
  return !waits && !core_.wrote_enough(size_);
}

void ConnectionCore::rest(Connection::Write& write) noexcept {
  written_ = 0;
  write.next_resting_ = nullptr;
  auto& resting = extras().resting;
  auto** last = &resting;
  while (*last) last = &(*last)->next_resting_;
  *last = &write;
  if (resting == &write) loop_.post([self = CoreReference{*this}] { self->wake_resting(); });
}

void ConnectionCore::wake_resting() noexcept {
  auto& resting = extras_->resting;
  // Those who rest again meanwhile come behind this one, and have their own turn.
  const auto* const last = [&] {
    auto* at = resting;
    while (at && at->next_resting_) at = at->next_resting_;
    return at;
  }();
  for (bool more = resting != nullptr; more && resting;) {
    auto* const write = resting;
    more = write != last;
    resting = write->next_resting_;
    write->resumption_.resume();
  }
  if (resting) loop_.post([self = CoreReference{*this}] { self->wake_resting(); });
}

void ConnectionCore::cancel_rest(Connection::Write& write) noexcept {
  if (!extras_) return;
  for (auto** at = &extras_->resting; *at; at = &(*at)->next_resting_) {
    if (*at == &write) {
      *at = write.next_resting_;
      return;
    }
  }
}

[[gnu::always_inline]] inline bool ConnectionCore::write_now(
    Opcode opcode, std::span<const char> payload, hotline::detail::Segment& segment) noexcept {
  moved_ = true;
  if (observation_) [[unlikely]]
    observation_->sent(payload.size());
  if (session_.role() == Role::server) [[likely]] {
    // The commonest frame by far: a small one, when nothing waits (RFC 6455 5.2).
    if (payload.size() < protocol::length_16) [[likely]] {
      if (char* const at = output_.room(2 + payload.size())) [[likely]] {
        at[0] = static_cast<char>(protocol::fin_bit | static_cast<std::uint8_t>(opcode));
        at[1] = static_cast<char>(payload.size());
        copy_small(at + 2, payload.data(), payload.size());
        output_.commit(2 + payload.size());
        return false;
      }
    }
    std::array<char, protocol::max_frame_header_size> header;
    const auto size = session_.frame_header(opcode, payload.size(), header);
    return output_.write({header.data(), size}, payload, &segment);
  }
  send_frame(opcode, payload);
  return output_.wait_if_high(segment);
}

// Copies what a client masks, and what must not wait for anybody.
void ConnectionCore::send_frame(Opcode opcode, std::span<const char> payload, bool fin) noexcept {
  std::array<char, protocol::max_frame_header_size> header;
  if (session_.role() == Role::server) {
    const auto size = session_.fragment_header(opcode, fin, payload.size(), header);
    if (size != 0) output_.write({header.data(), size}, payload);
    return;
  }
  protocol::MaskingKey key;
  loop_.entropy().fill(std::as_writable_bytes(std::span{key}));
  const auto size = session_.fragment_header(opcode, fin, payload.size(), header, key);
  if (size == 0) return;
  std::string masked(payload.data(), payload.size());
  protocol::mask(masked, key);
  output_.write({header.data(), size}, span_of(masked));
}

void ConnectionCore::send_close(CloseCode code, std::string_view reason) noexcept {
  forget_pong();  // nothing follows a close frame, and nothing is worth its delay
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
    forget_pong();  // one that still waits is older
    send_frame(Opcode::pong, payload);
  } else {
    extras().pong.emplace(payload.data(), payload.size());
  }
}

void ConnectionCore::forget_pong() noexcept {
  if (extras_) extras_->pong.reset();
}

void ConnectionCore::output_progressed() noexcept {
  progressed_ = true;
  if (state_ == State::ended) {
    if (output_.backlog() == 0) let_go();
    return;
  }
  if (extras_ && extras_->pong && output_.backlog() == 0) {
    const auto pong = *std::exchange(extras_->pong, std::nullopt);
    send_frame(Opcode::pong, span_of(pong));
  }
  listen();
  if (extras_) deliver_outboxes();
}

void ConnectionCore::output_failed(int error) noexcept {
  if (state_ == State::ended) return let_go();
  end(CloseCode::abnormal, std::error_code(error, std::system_category()).message(),
      ClosedBy::transport);
}

}  // namespace hotline::websocket
