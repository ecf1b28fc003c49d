#include "websocket/origin.h"

#include <algorithm>
#include <charconv>

namespace hotline::websocket {
namespace {

std::string lower(std::string_view text) {
  std::string result{text};
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

std::uint16_t default_port(std::string_view scheme) {
  if (scheme == "http" || scheme == "ws") return 80;
  if (scheme == "https" || scheme == "wss") return 443;
  return 0;
}

bool is_host_text(std::string_view host) {
  return !host.empty() && host.find_first_of("/?#@\\ \t,") == std::string_view::npos;
}

struct HostAndPort {
  std::string host;
  std::optional<std::uint16_t> port;
};

std::optional<HostAndPort> split(std::string_view text) {
  HostAndPort result;
  // The last colon, unless it stands inside the brackets of an IPv6 address.
  const auto colon = text.rfind(':');
  const auto bracket = text.rfind(']');
  if (colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket)) {
    const auto digits = text.substr(colon + 1);
    std::uint16_t port = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
    if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
    result.port = port;
    text = text.substr(0, colon);
  }
  if (!is_host_text(text)) return std::nullopt;
  result.host = lower(text);
  return result;
}

}  // namespace

std::optional<Origin> Origin::parse(std::string_view text) {
  const auto mark = text.find("://");
  if (mark == std::string_view::npos || mark == 0) return std::nullopt;
  Origin result;
  result.scheme = lower(text.substr(0, mark));
  if (!std::all_of(result.scheme.begin(), result.scheme.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
      })) {
    return std::nullopt;
  }
  auto rest = split(text.substr(mark + 3));
  if (!rest) return std::nullopt;
  result.host = std::move(rest->host);
  result.port = rest->port.value_or(default_port(result.scheme));
  return result;
}

bool Origin::is_host(std::string_view host_header) const {
  const auto other = split(host_header);
  return other && other->host == host && other->port.value_or(default_port(scheme)) == port;
}

std::optional<OriginPattern> OriginPattern::parse(std::string_view text) {
  OriginPattern result;
  std::string exact{text};
  const auto star = exact.find("://*.");
  if (star != std::string::npos) {
    result.below_ = true;
    exact.erase(star + 3, 2);
  }
  auto origin = Origin::parse(exact);
  if (!origin || origin->host.find('*') != std::string::npos) return std::nullopt;
  result.origin_ = std::move(*origin);
  return result;
}

bool OriginPattern::matches(const Origin& origin) const {
  if (origin.scheme != origin_.scheme || origin.port != origin_.port) return false;
  if (!below_) return origin.host == origin_.host;
  const auto suffix = "." + origin_.host;
  return origin.host.size() > suffix.size() && origin.host.ends_with(suffix);
}

}  // namespace hotline::websocket
