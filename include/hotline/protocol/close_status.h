#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <hotline/protocol/opcode.h>

namespace hotline::protocol {

/// Why a connection was closed (RFC 6455, 7.4, and the IANA registry). Codes of applications are
/// casts: 3000 to 3999 are registered ones, 4000 to 4999 private.
enum class CloseCode : std::uint16_t {
  normal = 1000,
  going_away = 1001,
  protocol_error = 1002,
  unsupported_data = 1003,
  no_status = 1005,  ///< Never on the wire: the close frame had no code.
  abnormal = 1006,   ///< Never on the wire: the connection ended without a close frame.
  invalid_payload = 1007,
  policy_violation = 1008,
  message_too_big = 1009,
  mandatory_extension = 1010,  ///< Sent by clients only.
  internal_error = 1011,
  service_restart = 1012,
  try_again_later = 1013,
  bad_gateway = 1014,
  tls_handshake = 1015,  ///< Never on the wire.
};

/// Whether this end may put the code into a close frame. Below 1000, 1004 to 1006, 1015, 1016 to
/// 2999 and above 4999 nobody may; 1010 only a client may.
[[nodiscard]] bool may_be_sent(CloseCode code, Role sender) noexcept;

/// Whether a close frame with this code is a good one. More lenient than may_be_sent in one thing:
/// 1010 is understood from either end.
[[nodiscard]] bool may_be_received(std::uint16_t code) noexcept;

/// "going_away"; "application" for 3000 to 4999; "unknown" for the rest. Static storage.
[[nodiscard]] std::string_view name(CloseCode code) noexcept;

/// A few words on the code, for logs: "the endpoint goes away". Static storage.
[[nodiscard]] std::string_view meaning(CloseCode code) noexcept;

/// Who ended the connection.
enum class ClosedBy : std::uint8_t {
  nobody,     ///< It is open.
  peer,       ///< The peer's close frame came first.
  us,         ///< Our close frame went first.
  transport,  ///< No closing handshake: the stream ended, or the grace time did.
};

/// How a connection ended: a value, to be copied and kept.
class CloseStatus {
 public:
  /// Of a connection that is open: nobody, no_status.
  CloseStatus() noexcept = default;
  CloseStatus(CloseCode code, std::string reason, ClosedBy closed_by) noexcept
      : reason_{std::move(reason)}, code_{code}, closed_by_{closed_by} {}

  [[nodiscard]] CloseCode code() const noexcept { return code_; }
  /// As the closing side gave it: UTF-8, but written by a stranger. Lives as long as this value.
  [[nodiscard]] std::string_view reason() const noexcept { return reason_; }
  [[nodiscard]] ClosedBy closed_by() const noexcept { return closed_by_; }

 private:
  std::string reason_;
  CloseCode code_ = CloseCode::no_status;
  ClosedBy closed_by_ = ClosedBy::nobody;
};

}  // namespace hotline::protocol
