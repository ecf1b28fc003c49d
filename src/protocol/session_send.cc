#include <algorithm>

#include <hotline/protocol/session.h>

#include "protocol/mask.h"
#include "protocol/streamed.h"
#include "protocol/utf8.h"

// What is sent.
namespace hotline::protocol {

std::size_t Session::frame_header(Opcode opcode, std::size_t payload_size,
                                  std::span<char, max_frame_header_size> out,
                                  MaskingKey key) const noexcept {
  return fragment_header(opcode, true, payload_size, out, key);
}

std::size_t Session::fragment_header(Opcode opcode, bool fin, std::size_t payload_size,
                                     std::span<char, max_frame_header_size> out,
                                     MaskingKey key) const noexcept {
  if (close_sent_ || opcode == Opcode::close) return 0;
  if (is_control(opcode) && (payload_size > max_control_payload || !fin)) return 0;
  FrameHeader header{.fin = fin, .opcode = opcode, .payload_size = payload_size};
  if (role_ == Role::client) header.key = key;
  return encode(header, out);
}

std::size_t Session::close_frame(CloseCode code, std::string_view reason,
                                 std::span<char, max_close_frame_size> out,
                                 MaskingKey key) noexcept {
  const bool silent = code == CloseCode::no_status;
  // An answer echoes the peer's code (5.5.1), 1010 too, which a server may not begin with.
  const bool allowed =
      may_be_sent(code, role_) || (close_received_ && code == CloseCode::mandatory_extension);
  if (close_sent_ || !(silent || allowed)) return 0;
  reason = silent ? std::string_view{} : cut_to_valid(reason, max_close_reason);

  FrameHeader header{.opcode = Opcode::close, .payload_size = silent ? 0 : 2 + reason.size()};
  if (role_ == Role::client) header.key = key;
  const std::size_t header_size = encode(header, out.first<max_frame_header_size>());
  const std::span<char> payload = out.subspan(header_size, header.payload_size);
  if (!silent) {
    payload[0] = static_cast<char>(static_cast<std::uint16_t>(code) >> 8);
    payload[1] = static_cast<char>(static_cast<std::uint16_t>(code) & 0xFF);
    std::copy(reason.begin(), reason.end(), payload.begin() + 2);
  }
  if (header.key) mask(payload, key);

  close_sent_ = true;
  // Of the message under way nothing is wanted any more; the last event's data stays.
  if (place_ == Place::block) begin_ += static_cast<std::uint32_t>(payload_done_);
  if (place_ == Place::body) payload_done_ += std::exchange(direct_, 0);
  if (streaming_) end_stream();
  if (place_ == Place::block || place_ == Place::body || place_ == Place::streamed) {
    place_ = Place::dropped;
  }
  if (!body_complete_) body_ = {};
  return header_size + payload.size();
}

bool Session::message_under_way() const noexcept { return fragments_ != 0; }

}  // namespace hotline::protocol
