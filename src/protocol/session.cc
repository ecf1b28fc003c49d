#include <hotline/protocol/session.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "protocol/kernels.h"
#include "protocol/mask.h"
#include "protocol/session_small.h"
#include "protocol/streamed.h"
#include "protocol/utf8.h"

// What is received: from bytes to events. Where the bytes lie is session_memory.cc's affair.
namespace hotline::protocol {
namespace {

std::uint64_t big_endian(const std::uint8_t* from, std::size_t bytes) noexcept {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < bytes; ++i) value = value << 8 | from[i];
  return value;
}

constexpr bool is_known(Opcode opcode) noexcept {
  switch (opcode) {
    case Opcode::continuation:
    case Opcode::text:
    case Opcode::binary:
    case Opcode::close:
    case Opcode::ping:
    case Opcode::pong: return true;
  }
  return false;
}

}  // namespace

Event Session::next_event() noexcept {
  if (body_complete_) [[unlikely]] {
    body_ = {};
    body_complete_ = false;
  }
  Event event;
  if (const Small small = next_small(); small.data != nullptr) {
    event.kind = EventKind::message;
    event.opcode = small.opcode;
    event.data = {small.data, small.size};
    return event;
  }
  for (;;) {
    const Step step = place_ == Place::header ? read_frame(event) : read_payload(event);
    if (step == Step::event) return event;
    if (step == Step::starved && !refill()) break;
  }
  if (ended_) event.kind = EventKind::ended;
  return event;
}

// RFC 6455, 5.2. Each rule is applied as soon as the bytes it needs are here.
Session::Step Session::read_frame(Event& event) noexcept {
  const auto* const at = reinterpret_cast<const std::uint8_t*>(block_ + begin_);
  const std::size_t here = end_ - begin_;
  if (here < 2) return Step::starved;

  const bool fin = (at[0] & fin_bit) != 0;
  const Opcode opcode{static_cast<std::uint8_t>(at[0] & opcode_bits)};
  const bool masked = (at[1] & mask_bit) != 0;
  std::uint64_t size = at[1] & length_bits;

  // No extension is negotiated; with permessage-deflate RSV1 is good on a message's first frame.
  if ((at[0] & (rsv1_bit | rsv2_bit | rsv3_bit)) != 0) [[unlikely]] {
    return fail(event, CloseCode::protocol_error, "a reserved bit is set");
  }
  if (masked != (role_ == Role::server)) [[unlikely]] {  // 5.1
    return fail(event, CloseCode::protocol_error,
                masked ? "a server's frame is masked" : "a client's frame is not masked");
  }
  if (!is_known(opcode)) [[unlikely]] {
    return fail(event, CloseCode::protocol_error, "a reserved opcode");
  }
  if (is_control(opcode)) {  // 5.5
    if (!fin) return fail(event, CloseCode::protocol_error, "a control frame is fragmented");
    if (size > max_control_payload) {
      return fail(event, CloseCode::protocol_error, "a control frame is over 125 bytes");
    }
  } else if ((opcode == Opcode::continuation) != (fragments_ != 0)) [[unlikely]] {  // 5.4
    return fail(event, CloseCode::protocol_error,
                fragments_ == 0 ? "a continuation of nothing" : "a message within a message");
  }

  std::size_t header = 2;
  if (size >= length_16) {
    const std::size_t bytes = size == length_16 ? 2 : 8;
    header += bytes;
    if (here < header) return Step::starved;
    size = big_endian(at + 2, bytes);
    if ((size >> 63) != 0) {
      return fail(event, CloseCode::protocol_error, "the highest bit of a length is set");
    }
    if (size < length_16 || (bytes == 8 && size <= 0xFFFF)) {
      return fail(event, CloseCode::protocol_error, "a length is not in its shortest form");
    }
  }
  if (!is_control(opcode) && !close_sent_) {
    const std::uint64_t before = streaming_ ? streamed().received : body_.size();
    const std::uint64_t held = fragments_ == 0 ? 0 : before;
    if (held > limits_->message_size || size > limits_->message_size - held) [[unlikely]] {
      if (holds_large_ && !streaming_) {
        event.kind = EventKind::large;
        return Step::event;
      }
      return fail(event, CloseCode::message_too_big, "the message is too big");
    }
    const std::uint64_t most = streaming_ ? streamed().most_fragments() : limits_->fragments;
    if (fragments_ >= most) [[unlikely]] {
      return fail(event, CloseCode::policy_violation, "the message has too many fragments");
    }
  }
  if (masked) {
    header += key_.size();
    if (here < header) return Step::starved;
    std::memcpy(key_.data(), at + header - key_.size(), key_.size());
  }

  if (is_control(opcode)) return read_control(event, opcode, header, size);

  begin_ += static_cast<std::uint32_t>(header);
  if (opcode != Opcode::continuation) opcode_ = opcode;
  fin_ = fin;
  payload_size_ = size;
  payload_done_ = 0;
  if (close_sent_) [[unlikely]] {
    fragments_ = 1;
    place_ = Place::dropped;
    return Step::again;
  }
  ++fragments_;
  if (streaming_) [[unlikely]] {
    place_ = Place::streamed;
    return read_streamed(event);
  }
  if (!fin || fragments_ != 1 || size > capacity_) {
    place_ = Place::body;
    return Step::again;
  }
  place_ = Place::block;
  return read_in_block(event);
}

Session::Step Session::read_control(Event& event, Opcode opcode, std::size_t header,
                                    std::size_t size) noexcept {
  if (end_ - begin_ < header + size) return Step::starved;
  const std::span<char> payload{block_ + begin_ + header, size};
  begin_ += static_cast<std::uint32_t>(header + size);
  if (role_ == Role::server) mask(payload, key_);
  if (opcode == Opcode::close) return read_close(event, payload);
  if (opcode == Opcode::ping && close_sent_) return Step::again;  // it is too late for a pong
  event.kind = opcode == Opcode::ping ? EventKind::ping : EventKind::pong;
  event.data = payload;
  return Step::event;
}

// RFC 6455, 5.5.1.
Session::Step Session::read_close(Event& event, std::span<char> payload) noexcept {
  if (payload.size() == 1) {
    return fail(event, CloseCode::protocol_error, "half a close code");
  }
  if (payload.size() >= 2) {
    const std::uint64_t code = big_endian(reinterpret_cast<const std::uint8_t*>(payload.data()), 2);
    if (!may_be_received(static_cast<std::uint16_t>(code))) {  // 7.4
      return fail(event, CloseCode::protocol_error, "a close code that may not be sent");
    }
    if (!valid_utf8(payload.subspan(2))) {
      return fail(event, CloseCode::invalid_payload, "a close reason is not UTF-8");
    }
    event.code = static_cast<CloseCode>(code);
    event.data = payload.subspan(2);
  }
  close_received_ = true;
  stop_reading();
  event.kind = EventKind::close;
  return Step::event;
}

Session::Step Session::read_payload(Event& event) noexcept {
  switch (place_) {
    case Place::header: break;
    case Place::block: return read_in_block(event);
    case Place::body: return read_into_body(event);
    case Place::streamed: return read_streamed(event);
    case Place::dropped: return drop_payload();
    case Place::lost: return fail(event, CloseCode::message_too_big, "no memory for the message");
    case Place::invalid: return fail(event, CloseCode::invalid_payload, "a text is not UTF-8");
    case Place::closed: stop_reading(); return Step::starved;
  }
  return Step::again;
}

Session::Step Session::read_in_block(Event& event) noexcept {
  const std::size_t have = std::min<std::uint64_t>(end_ - begin_, payload_size_);
  const bool last = have == payload_size_;
  const std::span<char> payload{block_ + begin_, have};
  if (have == payload_done_ && !last) return Step::starved;
  if (!accept(payload, payload_done_, last)) [[unlikely]] {
    return fail(event, CloseCode::invalid_payload, "a text is not UTF-8");
  }
  payload_done_ = have;
  if (!last) return Step::starved;
  begin_ += static_cast<std::uint32_t>(have);
  return deliver(event, payload);
}

Session::Step Session::read_into_body(Event& event) noexcept {
  const std::uint64_t missing = payload_size_ - payload_done_;
  std::size_t size = direct_;
  if (size == 0) {
    size = std::min<std::uint64_t>(end_ - begin_, missing);
    if (size == 0 && missing != 0) return Step::starved;
    if (size != 0) {
      if (!make_room(size)) {
        return fail(event, CloseCode::message_too_big, "no memory for the message");
      }
      std::memcpy(body_.data() + body_.size(), block_ + begin_, size);
      begin_ += static_cast<std::uint32_t>(size);
    }
  }
  direct_ = 0;
  const bool whole_frame = size == missing;
  const std::size_t held = body_.size();
  if (!accept({body_.data(), held + size}, held, whole_frame && fin_)) {
    return fail(event, CloseCode::invalid_payload, "a text is not UTF-8");
  }
  if (size != 0) body_.commit(size);
  payload_done_ += size;
  if (!whole_frame) return Step::again;
  place_ = Place::header;
  if (!fin_) return Step::again;
  body_.complete();
  body_complete_ = true;
  return deliver(event, body_.span());
}

Session::Step Session::drop_payload() noexcept {
  const std::uint64_t missing = payload_size_ - payload_done_;
  const std::uint64_t size = std::min<std::uint64_t>(end_ - begin_, missing);
  begin_ += static_cast<std::uint32_t>(size);
  payload_done_ += size;
  if (size != missing) return Step::starved;
  place_ = Place::header;
  if (fin_) fragments_ = 0;
  return Step::again;
}

Session::Step Session::deliver(Event& event, std::span<char> payload) noexcept {
  place_ = Place::header;
  fragments_ = 0;
  event.kind = EventKind::message;
  event.opcode = opcode_;
  event.data = payload;
  return Step::event;
}

// The one place where a connection fails (RFC 6455, 7.1.7).
Session::Step Session::fail(Event& event, CloseCode code, std::string_view reason) noexcept {
  failed_ = true;
  stop_reading();
  event.kind = EventKind::failure;
  event.code = code;
  event.data = {const_cast<char*>(reason.data()), reason.size()};
  return Step::event;
}

void Session::stop_reading() noexcept {
  if (streaming_) end_stream();
  place_ = Place::closed;
  begin_ = end_;
  direct_ = 0;
  fragments_ = 0;
  body_ = {};
  leftover_.reset();
}

// Unmasks and validates what is new of the message under way, all of which lies in one piece.
bool Session::accept(std::span<char> message, std::size_t done, bool last) noexcept {
  const bool masked = role_ == Role::server;
  if (opcode_ == Opcode::text) {
    return masked ? unmask_and_validate(message, done, key_, payload_done_, last)
                  : validate_more(message, done, last);
  }
  if (masked) mask(message.subspan(done), key_, payload_done_);
  return true;
}

}  // namespace hotline::protocol
