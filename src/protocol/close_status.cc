#include <hotline/protocol/close_status.h>

namespace hotline::protocol {
namespace {

struct Words {
  std::string_view name;
  std::string_view meaning;
};

constexpr bool is_application(std::uint16_t code) noexcept { return code >= 3000 && code <= 4999; }

// RFC 6455, 7.4.1, and the IANA registry of close codes.
constexpr Words words(CloseCode code) noexcept {
  switch (code) {
    case CloseCode::normal: return {"normal", "the connection has done its work"};
    case CloseCode::going_away: return {"going_away", "the endpoint goes away"};
    case CloseCode::protocol_error: return {"protocol_error", "the peer broke the protocol"};
    case CloseCode::unsupported_data: return {"unsupported_data", "this kind of data is not taken"};
    case CloseCode::no_status: return {"no_status", "closed without giving a code"};
    case CloseCode::abnormal: return {"abnormal", "ended without a closing handshake"};
    case CloseCode::invalid_payload: return {"invalid_payload", "a text was not UTF-8"};
    case CloseCode::policy_violation: return {"policy_violation", "against the endpoint's policy"};
    case CloseCode::message_too_big: return {"message_too_big", "a message was too big"};
    case CloseCode::mandatory_extension:
      return {"mandatory_extension", "the server lacks an extension the client needs"};
    case CloseCode::internal_error:
      return {"internal_error", "the endpoint met an error of its own"};
    case CloseCode::service_restart: return {"service_restart", "the service restarts"};
    case CloseCode::try_again_later: return {"try_again_later", "the service is overloaded"};
    case CloseCode::bad_gateway: return {"bad_gateway", "the service behind a gateway failed"};
    case CloseCode::tls_handshake: return {"tls_handshake", "the TLS handshake failed"};
  }
  if (is_application(static_cast<std::uint16_t>(code))) {
    return {"application", "a code of the application"};
  }
  return {"unknown", "a code without a meaning"};
}

}  // namespace

bool may_be_received(std::uint16_t code) noexcept {
  switch (code) {
    case 1004:  // reserved
    case static_cast<std::uint16_t>(CloseCode::no_status):
    case static_cast<std::uint16_t>(CloseCode::abnormal): return false;
    default: return (code >= 1000 && code <= 1014) || is_application(code);
  }
}

bool may_be_sent(CloseCode code, Role sender) noexcept {
  if (code == CloseCode::mandatory_extension) return sender == Role::client;
  return may_be_received(static_cast<std::uint16_t>(code));
}

std::string_view name(CloseCode code) noexcept { return words(code).name; }

std::string_view meaning(CloseCode code) noexcept { return words(code).meaning; }

}  // namespace hotline::protocol
