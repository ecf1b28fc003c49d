#include "http/request_rules.h"

#include <algorithm>
#include <charconv>

#include "base/header_tokens.h"

namespace hotline::http {
namespace {

Refusal refusal(std::string_view reason) noexcept { return {Status::bad_request, reason}; }

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

bool is_hex(char c) noexcept {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

// unreserved, sub-delims and percent-encoded bytes (RFC 3986 3.2.2)
bool is_registered_name(std::string_view name) noexcept {
  for (std::size_t i = 0; i < name.size(); ++i) {
    const auto c = name[i];
    if (c == '%') {
      if (i + 2 >= name.size() || !is_hex(name[i + 1]) || !is_hex(name[i + 2])) return false;
      i += 2;
    } else if (!is_digit(c) && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') &&
               std::string_view{"-._~!$&'()*+,;="}.find(c) == std::string_view::npos) {
      return false;
    }
  }
  return !name.empty();
}

// The fields that say where the request ends.
struct Framing {
  std::size_t lengths = 0;
  std::size_t encodings = 0;
  std::string_view length;
  std::string_view encoding;
};

std::optional<Refusal> check_framing(const Framing& framing, int version,
                                     RequestTraits& traits) noexcept {
  if (framing.encodings > 0) {
    if (version < 11) return refusal("Transfer-Encoding in HTTP/1.0");
    if (framing.lengths > 0) return refusal("Transfer-Encoding together with Content-Length");
    if (framing.encodings > 1) return refusal("Transfer-Encoding is repeated");
    if (!equals_ignoring_case(framing.encoding, "chunked")) {
      const auto comma = framing.encoding.rfind(',');
      if (comma != std::string_view::npos &&
          equals_ignoring_case(trimmed(framing.encoding.substr(comma + 1)), "chunked")) {
        return Refusal{Status::not_implemented, "only chunked is known here as Transfer-Encoding"};
      }
      return refusal("Transfer-Encoding does not end in chunked");  // so where does the body end?
    }
    traits.body.chunked = true;
  }
  if (framing.lengths > 1) return refusal("Content-Length is repeated");
  if (framing.lengths == 1) {
    const auto length = framing.length;
    // 18 digits are an exabyte, and fit in 64 bits.
    if (length.empty() || length.size() > 18 ||
        !std::all_of(length.begin(), length.end(), is_digit)) {
      return refusal("Content-Length is not a number");
    }
    std::from_chars(length.data(), length.data() + length.size(), traits.body.length);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string_view> parse_host(std::string_view value) noexcept {
  auto host = value;
  std::string_view port;
  if (value.starts_with('[')) {
    const auto end = value.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = value.substr(1, end - 1);
    if (!Address::parse(host, 0) || host.find(':') == std::string_view::npos) return std::nullopt;
    const auto rest = value.substr(end + 1);
    if (!rest.empty() && rest[0] != ':') return std::nullopt;
    if (!rest.empty()) port = rest.substr(1);
  } else {
    const auto colon = value.find(':');
    host = value.substr(0, colon);
    if (colon != std::string_view::npos) port = value.substr(colon + 1);
    if (!is_registered_name(host)) return std::nullopt;
  }
  if (port.size() > 5 || !std::all_of(port.begin(), port.end(), is_digit)) return std::nullopt;
  return host;
}

std::optional<Refusal> check_fields(const Request& request, RequestTraits& traits) noexcept {
  std::size_t hosts = 0;
  Framing framing;
  bool close = false;
  bool keep_alive = false;
  bool strange_expectation = false;
  for (const auto& [name, value] : request.headers()) {
    // By length first: most fields are none of these.
    switch (name.size()) {
      case 6:
        if (equals_ignoring_case(name, "Expect")) {
          // An HTTP/1.0 client does not mean it (RFC 9110 10.1.1).
          if (equals_ignoring_case(value, "100-continue")) {
            traits.expects_continue = request.version() >= 11;
          } else {
            strange_expectation = true;
          }
        }
        break;
      case 4:
        if (equals_ignoring_case(name, "Host")) {
          ++hosts;
          traits.host = value;
        }
        break;
      case 10:
        if (equals_ignoring_case(name, "Connection")) {
          close = close || list_contains(value, "close");
          keep_alive = keep_alive || list_contains(value, "keep-alive");
        }
        break;
      case 14:
        if (equals_ignoring_case(name, "Content-Length")) {
          ++framing.lengths;
          framing.length = value;
        }
        break;
      case 17:
        if (equals_ignoring_case(name, "Transfer-Encoding")) {
          ++framing.encodings;
          framing.encoding = value;
        }
        break;
      default: break;
    }
  }
  if (hosts > 1) return refusal("Host is repeated");
  if (hosts == 0 && request.version() >= 11) return refusal("the request has no Host");
  if (hosts == 1 && !parse_host(traits.host)) return refusal("Host is malformed");
  traits.keep_alive = !close && (request.version() >= 11 || keep_alive);
  if (auto refused = check_framing(framing, request.version(), traits)) return refused;
  if (strange_expectation) {
    return Refusal{Status::expectation_failed, "only 100-continue is known here as Expect"};
  }
  return std::nullopt;
}

std::optional<Refusal> check_target(std::string_view method, std::string_view host,
                                    std::string_view& target) noexcept {
  if (target.starts_with('/')) return std::nullopt;
  if (target == "*" && method == "OPTIONS") return std::nullopt;
  // A server must accept the absolute-form (RFC 9112 3.2.2); one that contradicts Host is a trick.
  static constexpr std::string_view scheme = "http://";
  if (target.size() > scheme.size() &&
      equals_ignoring_case(target.substr(0, scheme.size()), scheme)) {
    const auto rest = target.substr(scheme.size());
    const auto end = std::min(rest.find_first_of("/?"), rest.size());
    if (!equals_ignoring_case(rest.substr(0, end), host)) {
      return refusal("the target names another host than Host");
    }
    if (end == rest.size()) {
      target = "/";
      return std::nullopt;
    }
    if (rest[end] == '/') {
      target = rest.substr(end);
      return std::nullopt;
    }
  }
  return refusal("the target is not a path");
}

}  // namespace hotline::http
