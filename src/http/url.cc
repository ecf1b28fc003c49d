#include "http/url.h"

#include <algorithm>

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <hotline/base/error.h>

#include "base/header_tokens.h"

namespace hotline::http {
namespace {

namespace urls = boost::urls;

constexpr std::size_t longest = 8 * 1024;
constexpr std::string_view forms = "ws://, wss:// or ws+unix:";

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

std::string_view view(urls::string_view text) { return {text.data(), text.size()}; }

std::string shown(std::string_view text) { return escaped(without_credentials(text)); }

[[noreturn]] void reject(std::string_view text, const std::string& why) {
  throw Error(Fault::bad_url, "\"" + shown(text) + "\": " + why);
}

// Boost.URL says no more than "mismatch".
void check_bytes(std::string_view text) {
  if (text.size() > longest) {
    reject(text, "longer than " + std::to_string(longest) + " bytes");
  }
  for (std::size_t at = 0; at < text.size(); ++at) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte > 0x20 && byte < 0x7f &&
        std::string_view{"\"<>\\^`{|}"}.find(text[at]) == std::string_view::npos) {
      continue;
    }
    reject(text, "byte " + std::to_string(at + 1) + " (\"" + escaped(text.substr(at, 1)) +
                     "\") must be percent-encoded" +
                     (byte >= 0x80 ? "; a host's name in its form of ASCII (xn--...)" : ""));
  }
}

std::string decoded(urls::pct_string_view text) {
  std::string result;
  result.reserve(text.size());
  const auto digit = [](char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; };
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '%') {  // two digits follow: it has been parsed
      result += static_cast<char>(digit(text[at + 1]) << 4 | digit(text[at + 2]));
      at += 2;
    } else {
      result += text[at];
    }
  }
  return result;
}

constexpr std::string_view unreserved = "-._~";  // besides letters and digits

// So that it can be read again: the path of a socket, and a zone, may have any byte.
std::string encoded(std::string_view text, std::string_view plain) {
  static constexpr std::string_view digits = "0123456789ABCDEF";
  std::string result;
  for (const auto c : text) {
    const bool kept = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      plain.find(c) != std::string_view::npos;
    const auto byte = static_cast<unsigned char>(c);
    if (kept) {
      result += c;
    } else {
      result.append(1, '%').append(1, digits[byte >> 4]).append(1, digits[byte & 15]);
    }
  }
  return result;
}

std::string with_query(std::string path, const urls::url_view_base& parsed) {
  if (path.empty()) path = "/";
  if (parsed.has_query()) path.append("?").append(view(parsed.encoded_query()));
  return path;
}

// RFC 3986 5.2.4, of a path that begins with a slash.
std::string without_dots(std::string_view path) {
  std::string result;
  while (!path.empty()) {
    const auto segment = path.substr(0, path.find('/', 1));
    path.remove_prefix(segment.size());
    const bool up = segment == "/..";
    if (up) result.erase(std::min(result.rfind('/'), result.size()));
    if (!up && segment != "/.") {
      result += segment;
    } else if (path.empty()) {
      result += '/';
    }
  }
  return result;
}

// Host, port and credentials.
void take_authority(std::string_view text, const urls::url_view_base& parsed, Url& url) {
  using urls::host_type;
  // Boost.URL 1.81 reads "h:x" as the host h and the path x.
  if (!parsed.encoded_path().empty() && !parsed.encoded_path().starts_with('/')) {
    reject(text, "behind the host comes a port, a number, or a path that begins with /");
  }
  switch (parsed.host_type()) {
    case host_type::none: reject(text, "it names no host");
    case host_type::ipvfuture: reject(text, "an address of a kind that is not known");
    case host_type::name:
      if (parsed.encoded_host().empty()) reject(text, "it names no host");
      if (parsed.encoded_host().find('%') != urls::string_view::npos) {
        reject(text, "a host's name has no percent-encoding");
      }
      break;
    case host_type::ipv4:
    case host_type::ipv6: break;
  }
  url.host = lower(view(parsed.encoded_host_address()));
  url.port = url.secure ? 443 : 80;
  if (const auto digits = view(parsed.port()); !digits.empty()) {
    unsigned long number = 0;
    for (const auto digit : digits) {
      number = std::min(number * 10 + static_cast<unsigned>(digit - '0'), 65536UL);
    }
    if (number == 0 || number > 65535) reject(text, "the port is 1 to 65535");
    url.port = static_cast<std::uint16_t>(number);
  }
  if (parsed.has_userinfo()) {
    url.credentials = {decoded(parsed.encoded_user()), decoded(parsed.encoded_password())};
    if (url.credentials->user.find(':') != std::string::npos) {
      reject(text, "a user's name has no colon (RFC 7617 2)");
    }
  }
}

// "/path/to.sock:/chat"
Url parse_unix(std::string_view text, std::string_view rest, bool secure) {
  if (rest.starts_with("///")) rest.remove_prefix(2);
  if (rest.find('#') != std::string_view::npos) reject(text, "a WebSocket's URL has no fragment");
  const auto colon = rest.find(':');
  Url url;
  url.secure = secure;
  url.socket_path = decoded(urls::pct_string_view{rest.substr(0, colon)});
  if (colon != std::string_view::npos) url.target = rest.substr(colon + 1);
  if (url.target.empty()) url.target = "/";
  if (url.target.starts_with('?')) url.target.insert(0, 1, '/');
  if (url.socket_path.empty() || url.socket_path.find('\0') != std::string::npos) {
    reject(text, "it names no socket: ws+unix:/path/to.sock:/chat");
  }
  if (!url.target.starts_with('/')) reject(text, "behind the socket's colon a path begins with /");
  return url;
}

// Boost.URL 1.81 reads "1.2.3.4.example.org" as the address 1.2.3.4 and the path ".example.org".
// What ends in a number is no name (the top of the DNS has none).
bool is_name_behind_an_address(const urls::url_view_base& parsed) {
  const auto rest = view(parsed.encoded_path());
  if (parsed.host_type() != urls::host_type::ipv4 || parsed.has_port() || rest.empty())
    return false;
  auto name = rest.substr(0, std::min(rest.find_first_of(":/"), rest.size()));
  if (name.ends_with('.')) name.remove_suffix(1);
  const auto last = name.substr(name.rfind('.') + 1);
  return last.find_first_not_of("0123456789") != std::string_view::npos;
}

// Boost.URL 1.81 knows no zones (RFC 6874): "ws://[fe80::1%25eth0]/" without its "%25eth0", which
// goes to `zone`.
std::string without_zone(std::string_view text, std::string& zone) {
  const auto slashes = text.find("//");
  if (slashes == std::string_view::npos) return std::string(text);
  const auto end = std::min(text.find_first_of("/?#", slashes + 2), text.size());
  const auto at = text.rfind('@', end);
  const auto begin = at != std::string_view::npos && at > slashes ? at + 1 : slashes + 2;
  const auto percent = text.find('%', begin);
  const auto bracket = text.find(']', begin);
  if (text.substr(begin, 1) != "[" || percent >= bracket || bracket >= end) {
    return std::string(text);
  }
  const auto given = text.substr(percent, bracket - percent);
  if (given.starts_with("%25")) {
    const auto parsed = urls::make_pct_string_view({given.data() + 3, given.size() - 3});
    if (parsed) zone = decoded(*parsed);
  }
  if (zone.empty() || zone.find_first_of(std::string_view{"/\0", 2}) != std::string::npos) {
    reject(text, "behind an address the zone is %25 and an interface: [fe80::1%25eth0]");
  }
  return std::string(text.substr(0, percent)).append(text.substr(bracket));
}

std::string authority_of(const Url& url, const std::string& zone) {
  std::string text;
  if (url.host.find(':') != std::string::npos) {
    text.append("[").append(url.host).append(zone).append("]");
  } else {
    text = url.host;
  }
  if (url.port != (url.secure ? 443 : 80)) text.append(":").append(std::to_string(url.port));
  return text;
}

Url take(std::string_view text, const urls::url_view_base& parsed, bool secure) {
  if (is_name_behind_an_address(parsed) && !parsed.encoded_path().starts_with('/')) {
    std::string with_letter{text};
    with_letter.insert(static_cast<std::size_t>(parsed.encoded_host().data() - text.data()), 1,
                       'x');
    const auto again = urls::parse_uri_reference(with_letter);
    if (!again) reject(text, "it names no host");
    auto url = take(with_letter, *again, secure);
    url.host.erase(0, 1);
    return url;
  }
  Url url;
  url.secure = secure;
  take_authority(text, parsed, url);
  url.target = with_query(std::string(view(parsed.encoded_path())), parsed);
  return url;
}

}  // namespace

std::string without_credentials(std::string_view text) {
  const auto slashes = text.find("//");
  if (slashes == std::string_view::npos) return std::string(text);
  const auto begin = slashes + 2;
  const auto end = std::min(text.find_first_of("/?#", begin), text.size());
  const auto at = text.rfind('@', end);
  if (at != std::string_view::npos && at >= begin) {
    return std::string(text.substr(0, begin)).append(text.substr(at + 1));
  }
  // A password with a slash in it, which ends the host, is none, but must not be shown for that.
  const auto last = text.rfind('@');
  if (text.find(':', begin) < end && last != std::string_view::npos && last > end) {
    return std::string(text.substr(0, begin)).append("...").append(text.substr(last));
  }
  return std::string(text);
}

std::string Url::authority() const {
  return socket_path.empty() ? authority_of(*this, "") : "localhost";
}

std::string Url::host_in_zone() const { return zone.empty() ? host : host + "%" + zone; }

std::string Url::text() const {
  std::string text{secure ? "wss" : "ws"};
  if (!socket_path.empty())
    return text.append("+unix:").append(encoded(socket_path, "/-._~!$&'()*+,;=@")) + ":" + target;
  const auto encoded_zone = zone.empty() ? "" : "%25" + encoded(zone, unreserved);
  return text.append("://").append(authority_of(*this, encoded_zone)).append(target);
}

bool Url::same_origin(const Url& other) const noexcept {
  return secure == other.secure && port == other.port && host == other.host && zone == other.zone &&
         socket_path == other.socket_path;
}

Url parse_websocket_url(std::string_view text) {
  check_bytes(text);
  const auto colon = text.find(':');
  const auto scheme = lower(text.substr(0, std::min(colon, text.size())));
  if (colon == std::string_view::npos) {
    reject(text, "it begins with " + std::string(forms));
  }
  if (scheme == "ws+unix" || scheme == "wss+unix") {
    try {
      return parse_unix(text, text.substr(colon + 1), scheme.starts_with("wss"));
    } catch (const boost::system::system_error&) {
      reject(text, "a malformed percent-encoding");
    }
  }
  if (scheme != "ws" && scheme != "wss") {
    reject(text, scheme == "http" || scheme == "https"
                     ? "the URL of a WebSocket begins with " + std::string(forms)
                     : "it begins with " + std::string(forms));
  }
  std::string zone;
  const auto zoneless = without_zone(text, zone);
  const auto parsed = urls::parse_uri(zoneless);
  if (!parsed) reject(text, "it is not of the form " + scheme + "://host:port/path?query");
  if (parsed->has_fragment()) reject(text, "a WebSocket's URL has no fragment (RFC 6455 3)");
  if (!parsed->has_authority()) reject(text, "it names no host");
  auto url = take(zoneless, *parsed, scheme == "wss");
  url.zone = std::move(zone);
  return url;
}

Url resolve_location(const Url& base, std::string_view location) {
  check_bytes(location);
  const auto reference = urls::parse_uri_reference({location.data(), location.size()});
  if (!reference) reject(location, "Location is no URL");
  if (!base.socket_path.empty() && (reference->has_scheme() || reference->has_authority())) {
    reject(location, "Location leads away from the unix socket");
  }
  if (reference->has_scheme() || reference->has_authority()) {
    const auto scheme = reference->has_scheme() ? lower(view(reference->scheme()))
                                                : std::string(base.secure ? "wss" : "ws");
    const bool secure = scheme == "https" || scheme == "wss";
    if (!secure && scheme != "http" && scheme != "ws") {
      reject(location, "Location leads to neither HTTP nor a WebSocket");
    }
    if (!reference->has_authority()) reject(location, "it names no host");
    auto url = take(location, *reference, secure);
    if (url.host == base.host) url.zone = base.zone;  // the server does not know it
    if (!url.credentials && url.same_origin(base)) url.credentials = base.credentials;
    return url;
  }
  // RFC 3986 5.2.2
  auto url = base;
  const std::string_view from = base.target;
  const auto path = view(reference->encoded_path());
  if (!path.empty()) {
    const auto directory = from.substr(0, from.substr(0, from.find('?')).rfind('/') + 1);
    const auto merged = (path.starts_with('/') ? "" : std::string(directory)) + std::string(path);
    url.target = with_query(without_dots(merged), *reference);
  } else if (reference->has_query()) {
    url.target = with_query(std::string(from.substr(0, from.find('?'))), *reference);
  }
  return url;
}

}  // namespace hotline::http
