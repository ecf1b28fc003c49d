#include <hotline/websocket/prepared.h>

#include <array>
#include <cstring>

#include <hotline/base/error.h>
#include <hotline/protocol/frame.h>

#include "protocol/utf8.h"

namespace hotline::websocket {

using protocol::Opcode;

Prepared::Prepared(std::string_view text)
    : Prepared(Opcode::text, std::span<const char>{text.data(), text.size()}) {}

Prepared::Prepared(std::span<const std::byte> binary)
    : Prepared(Opcode::binary,
               std::span<const char>{reinterpret_cast<const char*>(binary.data()), binary.size()}) {
}

Prepared::Prepared(Opcode opcode, std::span<const char> payload) {
  if (opcode == Opcode::text && !protocol::valid_utf8(payload)) {
    throw Error(Fault::invalid_text, "a prepared message");
  }
  std::array<char, protocol::max_frame_header_size> header;
  const protocol::FrameHeader of{.opcode = opcode, .payload_size = payload.size()};
  const auto size = protocol::encode(of, header);
  frame_.opcode = opcode;
  frame_.header = static_cast<std::uint8_t>(size);
  frame_.bytes = hotline::detail::SharedBytes{size + payload.size()};
  auto* const target = frame_.bytes.writable().data();
  std::memcpy(target, header.data(), size);
  if (!payload.empty()) std::memcpy(target + size, payload.data(), payload.size());
}

}  // namespace hotline::websocket
