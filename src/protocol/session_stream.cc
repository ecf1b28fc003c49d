#include <algorithm>
#include <cassert>
#include <new>

#include "protocol/mask.h"
#include "protocol/streamed.h"

// Messages in pieces, in constant space.
namespace hotline::protocol {

bool Session::stream(std::uint64_t message_size) noexcept {
  assert(direct_ == 0);
  if (streaming_) {
    assert(streamed().skipping);
    streamed().next = true;
    streamed().next_size = message_size;
    return true;
  }
  auto* const streamed = new (std::nothrow) Streamed;
  if (streamed == nullptr) return false;
  streamed->message_size = message_size;
  streamed->fragments = 0;
  streamed->outer = limits_;
  limits_ = streamed;
  streaming_ = true;

  if (fragments_ == 0) return true;
  // What has gathered of the message under way comes first.
  if (place_ == Place::block) move_to_body();
  if (place_ == Place::header) payload_size_ = payload_done_ = 0;
  if (place_ == Place::header || place_ == Place::body) place_ = Place::streamed;
  streamed->received = body_.size() - payload_done_;
  return true;
}

void Session::stop_streaming() noexcept {
  if (!streaming_) return;
  auto& of = streamed();
  if (of.begun) {
    of.skipping = true;
    of.next = false;
    return;
  }
  if (place_ == Place::streamed) {
    place_ = payload_done_ == payload_size_ ? Place::header : Place::body;
  }
  end_stream();
}

bool Session::gives_pieces() const noexcept {
  return streaming_ && streamed().begun && !streamed().skipping;
}

Event Session::refuse_large() noexcept {
  Event event;
  fail(event, CloseCode::message_too_big, "the message is too big");
  return event;
}

Session::Streamed& Session::streamed() const noexcept {
  return *const_cast<Streamed*>(static_cast<const Streamed*>(limits_));
}

void Session::end_stream() noexcept {
  auto* const ended = &streamed();
  limits_ = ended->outer;
  streaming_ = false;
  delete ended;
}

// The message has ended: the next one is streamed only if that was asked for.
void Session::end_streamed_message() noexcept {
  fragments_ = 0;
  auto& of = streamed();
  if (!of.next) return end_stream();
  const auto* const outer = of.outer;
  const auto size = of.next_size;
  of = Streamed{};
  of.outer = outer;
  of.message_size = size;
  of.fragments = 0;
}

Session::Step Session::read_streamed(Event& event) noexcept {
  auto& of = streamed();
  if (!of.begun && of.received + payload_size_ > of.message_size) {
    return fail(event, CloseCode::message_too_big, "the message is too big");
  }
  if (!of.begun && !body_.empty()) {
    of.begun = true;
    // All of it was found good but for a code point that is not complete.
    if (opcode_ == Opcode::text && !of.text.feed(body_.span())) {
      return fail(event, CloseCode::invalid_payload, "a text is not UTF-8");
    }
    body_complete_ = true;  // it is this event's data
    return give_piece(event, body_.span());
  }

  const std::uint64_t missing = payload_size_ - payload_done_;
  const std::size_t have = std::min<std::uint64_t>(end_ - begin_, missing);
  const bool frame_ends = have == missing;
  const bool message_ends = frame_ends && fin_;
  const bool first = !of.begun;
  if (have == 0 && !frame_ends && !first) return Step::starved;

  const std::span<char> piece{block_ + begin_, have};
  const bool skipping = of.skipping;
  if (!skipping) {
    if (role_ == Role::server) mask(piece, key_, payload_done_);
    if (opcode_ == Opcode::text &&
        (!of.text.feed(piece) || (message_ends && !of.text.complete()))) {
      return fail(event, CloseCode::invalid_payload, "a text is not UTF-8");
    }
  }
  of.begun = true;
  begin_ += static_cast<std::uint32_t>(have);
  payload_done_ += have;
  if (frame_ends) {
    of.received += payload_size_;
    place_ = Place::header;
  }
  if (message_ends) end_streamed_message();
  if (skipping || (have == 0 && !first && !message_ends)) return Step::again;
  return give_piece(event, piece);
}

Session::Step Session::give_piece(Event& event, std::span<char> piece) noexcept {
  event.kind = EventKind::piece;
  event.opcode = opcode_;
  event.data = piece;
  return Step::event;
}

}  // namespace hotline::protocol
