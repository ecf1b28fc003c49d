#pragma once

#include <string>
#include <string_view>
#include <system_error>

namespace hotline {

/// What went wrong, in Hotline's own words. Each belongs to one `Condition`.
enum class Fault {
  // handshake refused
  upgrade_refused = 1,
  bad_request,
  bad_response,
  // unreachable
  name_not_found,
  proxy_refused,
  proxy_failed,
  // protocol violated
  protocol_error,
  invalid_text,
  invalid_json,
  // timed out
  deadline_passed,
  // connection lost
  connection_reset,
  // connection closed
  connection_ended,
  // limit exceeded
  message_too_big,
  too_many_descriptors,
  body_too_large,
  // certificate rejected
  certificate_expired,
  certificate_not_yet_valid,
  certificate_wrong_name,
  certificate_self_signed,
  certificate_untrusted,
  certificate_revoked,
  // protocol violated
  tls_failed,
  // cancelled
  cancelled,
  // misuse, reported to whoever did it
  concurrent_read,
  already_answered,
  cannot_hijack,
  no_runtime,
  bad_url,
  nested_run,
  bad_option,
  wrong_length,
};

/// The few things that a program distinguishes: compare `error.code()` with one of these.
enum class Condition {
  handshake_refused = 1,
  unreachable,
  protocol_violated,
  timed_out,
  connection_lost,
  connection_closed,
  limit_exceeded,
  certificate_rejected,
  cancelled,
  misuse,
};

std::error_code make_error_code(Fault fault) noexcept;
std::error_condition make_error_condition(Condition condition) noexcept;

}  // namespace hotline

template <>
struct std::is_error_code_enum<hotline::Fault> : std::true_type {};
template <>
struct std::is_error_condition_enum<hotline::Condition> : std::true_type {};

namespace hotline {

/// The one exception of the library: a code, and in `what()` the context (which header, which
/// address). Codes are `Fault`s or the system's own; both compare with `Condition`.
class Error : public std::system_error {
 public:
  explicit Error(Fault fault);
  Error(Fault fault, const std::string& context);
  Error(std::error_code code, const std::string& context);

  bool is(Condition condition) const noexcept { return code() == condition; }
};

/// Thrown by waits (sleep, offload, an Asio operation) when the server drains or the wait is
/// cancelled. Leaving a handler by it is an ordinary ending, not a failure.
class Cancelled : public Error {
 public:
  Cancelled();
};

/// Text from a peer, made safe for a log line or a response: bytes outside printable ASCII, quotes
/// and backslashes become \xNN; cut after `limit` bytes of input with "...".
std::string escaped(std::string_view text, std::size_t limit = 200);

}  // namespace hotline
