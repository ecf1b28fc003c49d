#include <hotline/base/error.h>

#include <cerrno>

namespace hotline {
namespace {

struct Entry {
  Fault fault;
  Condition condition;
  const char* message;
};

constexpr Entry entries[] = {
    {Fault::upgrade_refused, Condition::handshake_refused, "the upgrade was refused"},
    {Fault::bad_request, Condition::handshake_refused, "the request is malformed"},
    {Fault::bad_response, Condition::handshake_refused, "the response is not what it must be"},
    {Fault::name_not_found, Condition::unreachable, "the name has no address"},
    {Fault::proxy_refused, Condition::unreachable, "the proxy refused"},
    {Fault::proxy_failed, Condition::unreachable, "the proxy does not answer as a proxy does"},
    {Fault::protocol_error, Condition::protocol_violated, "the peer violated the protocol"},
    {Fault::invalid_text, Condition::protocol_violated, "the text is not valid UTF-8"},
    {Fault::invalid_json, Condition::protocol_violated, "the message is not the JSON asked for"},
    {Fault::deadline_passed, Condition::timed_out, "the deadline passed"},
    {Fault::connection_reset, Condition::connection_lost, "the connection was lost"},
    {Fault::connection_ended, Condition::connection_closed, "the connection has ended"},
    {Fault::message_too_big, Condition::limit_exceeded, "the message exceeds the limit"},
    {Fault::too_many_descriptors, Condition::limit_exceeded, "no file descriptor is left"},
    {Fault::body_too_large, Condition::limit_exceeded, "the body exceeds the limit"},
    {Fault::certificate_expired, Condition::certificate_rejected, "the certificate has expired"},
    {Fault::certificate_not_yet_valid, Condition::certificate_rejected,
     "the certificate is not valid yet"},
    {Fault::certificate_wrong_name, Condition::certificate_rejected,
     "the certificate is for another name"},
    {Fault::certificate_self_signed, Condition::certificate_rejected,
     "the certificate is signed by nobody but itself"},
    {Fault::certificate_untrusted, Condition::certificate_rejected,
     "the certificate comes from nobody who is trusted"},
    {Fault::certificate_revoked, Condition::certificate_rejected,
     "the certificate has been revoked"},
    {Fault::tls_failed, Condition::protocol_violated, "the TLS handshake failed"},
    {Fault::cancelled, Condition::cancelled, "cancelled"},
    {Fault::concurrent_read, Condition::misuse, "another read of this connection is under way"},
    {Fault::already_answered, Condition::misuse, "the request has been answered already"},
    {Fault::cannot_hijack, Condition::misuse, "this transport cannot be hijacked"},
    {Fault::no_runtime, Condition::misuse, "no Hotline loop runs on this thread"},
    {Fault::bad_url, Condition::misuse, "this is no URL of a WebSocket"},
    {Fault::nested_run, Condition::misuse, "a Hotline loop runs on this thread already"},
    {Fault::bad_option, Condition::misuse, "an option has a value that is not allowed"},
    {Fault::wrong_length, Condition::misuse, "the body has not the length that was announced"},
};

const Entry* find(int value) {
  for (const auto& entry : entries) {
    if (static_cast<int>(entry.fault) == value) return &entry;
  }
  return nullptr;
}

class FaultCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "hotline"; }
  std::string message(int value) const override {
    const auto* entry = find(value);
    return entry ? entry->message : "unknown";
  }
};

class ConditionCategory final : public std::error_category {
 public:
  const char* name() const noexcept override { return "hotline.condition"; }
  std::string message(int value) const override {
    switch (static_cast<Condition>(value)) {
      case Condition::handshake_refused: return "handshake refused";
      case Condition::unreachable: return "unreachable";
      case Condition::protocol_violated: return "protocol violated";
      case Condition::timed_out: return "timed out";
      case Condition::connection_lost: return "connection lost";
      case Condition::connection_closed: return "connection closed";
      case Condition::limit_exceeded: return "limit exceeded";
      case Condition::certificate_rejected: return "certificate rejected";
      case Condition::cancelled: return "cancelled";
      case Condition::misuse: return "misuse";
    }
    return "unknown";
  }
  bool equivalent(const std::error_code& code, int value) const noexcept override;
};

const FaultCategory fault_category;
const ConditionCategory condition_category;

bool system_matches(const std::error_code& code, Condition condition) noexcept {
  if (code.category() != std::system_category() && code.category() != std::generic_category()) {
    return false;
  }
  switch (code.value()) {
    case ECONNRESET:
    case ECONNABORTED:
    case EPIPE:
    case ENETDOWN: return condition == Condition::connection_lost;
    // Of a connection that was there, and of one that could not be made.
    case ENETUNREACH:
    case EHOSTUNREACH:
      return condition == Condition::connection_lost || condition == Condition::unreachable;
    case ECONNREFUSED: return condition == Condition::unreachable;
    case EPROTO: return condition == Condition::protocol_violated;
    case ETIMEDOUT: return condition == Condition::timed_out;
    case ECANCELED: return condition == Condition::cancelled;
    case EMFILE:
    case ENFILE:
    case ENOBUFS: return condition == Condition::limit_exceeded;
    default: return false;
  }
}

bool ConditionCategory::equivalent(const std::error_code& code, int value) const noexcept {
  const auto condition = static_cast<Condition>(value);
  if (code.category() == fault_category) {
    const auto* entry = find(code.value());
    return entry && entry->condition == condition;
  }
  return system_matches(code, condition);
}

}  // namespace

std::error_code make_error_code(Fault fault) noexcept {
  return {static_cast<int>(fault), fault_category};
}

std::error_condition make_error_condition(Condition condition) noexcept {
  return {static_cast<int>(condition), condition_category};
}

Error::Error(Fault fault) : std::system_error(make_error_code(fault)) {}
Error::Error(Fault fault, const std::string& context)
    : std::system_error(make_error_code(fault), context) {}
Error::Error(std::error_code code, const std::string& context) : std::system_error(code, context) {}

Cancelled::Cancelled() : Error(Fault::cancelled) {}

std::string escaped(std::string_view text, std::size_t limit) {
  static constexpr char digits[] = "0123456789abcdef";
  std::string result;
  result.reserve(std::min(text.size(), limit) + 8);
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i == limit) {
      result += "...";
      break;
    }
    const auto byte = static_cast<unsigned char>(text[i]);
    if (byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\') {
      result += text[i];
    } else {
      result += "\\x";
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

}  // namespace hotline
