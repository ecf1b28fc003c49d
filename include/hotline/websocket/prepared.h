#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <hotline/net/shared_bytes.h>
#include <hotline/protocol/opcode.h>

namespace hotline::websocket {

namespace detail {

/// A whole message in the frame that a server sends, shared.
struct PreparedFrame {
  hotline::detail::SharedBytes bytes;
  std::uint8_t header = 0;  // bytes in front of the payload
  protocol::Opcode opcode = protocol::Opcode::binary;

  std::span<const char> payload() const noexcept { return bytes.span().subspan(header); }
};

}  // namespace detail

/// A message that is put into its frame once and sent to many, on any loop: `co_await
/// connection.write(prepared)`, `sender.send(prepared)`. Immutable; copying it copies a pointer, on
/// any thread.
///
/// A server's connections send it as it lies here, without a copy of their own: what a slow peer's
/// socket does not take is kept alive rather than copied (below 512 bytes it is copied, and while
/// it gathers with others in one system call). A client masks each frame with a new key (RFC 6455
/// 5.3), and so copies it.
class Prepared {
 public:
  /// Text; throws Error (invalid_text) where it is not UTF-8. Copies.
  explicit Prepared(std::string_view text);
  explicit Prepared(const char* text) : Prepared(std::string_view{text}) {}
  /// Binary. Copies.
  explicit Prepared(std::span<const std::byte> binary);

  [[nodiscard]] bool is_text() const noexcept { return opcode() == protocol::Opcode::text; }
  [[nodiscard]] bool is_binary() const noexcept { return opcode() == protocol::Opcode::binary; }
  [[nodiscard]] protocol::Opcode opcode() const noexcept { return frame_.opcode; }
  /// The message, whichever kind it is, as long as this or a copy of it lives.
  [[nodiscard]] std::string_view text() const noexcept {
    return {frame_.payload().data(), frame_.payload().size()};
  }
  [[nodiscard]] std::span<const std::byte> bytes() const noexcept {
    return std::as_bytes(frame_.payload());
  }
  /// In bytes, without the frame's header.
  [[nodiscard]] std::size_t size() const noexcept { return frame_.payload().size(); }
  /// For the library: header and payload.
  [[nodiscard]] const detail::PreparedFrame& frame() const noexcept { return frame_; }

 private:
  Prepared(protocol::Opcode opcode, std::span<const char> payload);

  detail::PreparedFrame frame_;
};

}  // namespace hotline::websocket
