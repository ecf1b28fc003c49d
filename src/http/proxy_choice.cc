// Which proxy, if any: an option, or the environment as curl and others read it.
#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <initializer_list>

#include <hotline/base/error.h>

#include "base/header_tokens.h"
#include "http/proxy.h"
#include "net/network.h"
#include "net/resolver.h"

namespace hotline::http {
namespace {

struct Place {
  std::string_view host;  // without brackets
  std::optional<std::uint16_t> port;
};

// "host", "host:port", "[v6]", "[v6]:port", or "v6" without a port; nothing if it is none of them.
std::optional<Place> split(std::string_view text) {
  Place place{text, {}};
  auto colon = text.rfind(':');
  if (text.starts_with('[')) {
    const auto end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    place.host = text.substr(1, end - 1);
    if (!Address::parse(place.host, 0)) return std::nullopt;
    if (end + 1 == text.size()) return place;
    if (text[end + 1] != ':') return std::nullopt;
    colon = end + 1;
  } else if (colon == std::string_view::npos || colon != text.find(':')) {
    return place;
  } else {
    place.host = text.substr(0, colon);
  }
  const auto digits = text.substr(colon + 1);
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || port == 0) {
    return std::nullopt;
  }
  place.port = port;
  return place;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] != '%') {
      decoded += text[at];
      continue;
    }
    unsigned byte = 0;
    const auto* digits = text.data() + at + 1;
    if (text.size() - at < 3 || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) {
      return std::nullopt;
    }
    decoded += static_cast<char>(byte);
    at += 2;
  }
  return decoded;
}

// Not shown: user and password.
[[noreturn]] void refuse(std::string_view source, std::string_view url, const char* why) {
  const auto scheme = url.find("://");
  const auto begin = scheme == std::string_view::npos ? 0 : scheme + 3;
  std::string shown{url};
  if (const auto at = url.rfind('@'); at != std::string_view::npos && at >= begin) {
    shown.replace(begin, at - begin, "...");
  }
  throw Error(Fault::bad_option, std::string(source) + ": \"" + escaped(shown) + "\": " + why);
}

Proxy parse_proxy(std::string_view source, std::string_view url) {
  struct Scheme {
    std::string_view name;
    Proxy::Kind kind;
    std::uint16_t port;
  };
  static constexpr Scheme schemes[] = {{"http", Proxy::Kind::http, 80},
                                       {"https", Proxy::Kind::https, 443},
                                       {"socks5", Proxy::Kind::socks5, 1080},
                                       {"socks5h", Proxy::Kind::socks5, 1080}};
  Proxy proxy;
  proxy.port = 80;
  auto rest = url;
  if (const auto end = url.find("://"); end != std::string_view::npos) {
    const auto* scheme = std::ranges::find_if(schemes, [&](const Scheme& known) {
      return equals_ignoring_case(known.name, url.substr(0, end));
    });
    if (scheme == std::end(schemes)) {
      refuse(source, url, "a proxy is http, https, socks5 or socks5h");
    }
    proxy.kind = scheme->kind;
    proxy.port = scheme->port;
    rest.remove_prefix(end + 3);
  }
  if (rest.ends_with('/')) rest.remove_suffix(1);
  if (const auto at = rest.rfind('@'); at != std::string_view::npos) {
    const auto user_and_password = rest.substr(0, at);
    const auto colon = user_and_password.find(':');
    const auto user = percent_decoded(user_and_password.substr(0, colon));
    const auto password =
        percent_decoded(colon == std::string_view::npos ? "" : user_and_password.substr(colon + 1));
    if (!user || !password) refuse(source, url, "a % is not followed by two hexadecimal digits");
    // Basic authentication has no other end of the user than this (RFC 7617 2).
    if (user->find(':') != std::string::npos) refuse(source, url, "a user has no colon");
    proxy.user = *user;
    proxy.password = *password;
    rest.remove_prefix(at + 1);
  }
  const auto place = split(rest);
  const auto in_host = [](char c) {
    return c > ' ' && c < 0x7f && c != '/' && c != '?' && c != '#';
  };
  if (!place || place->host.empty() || !std::ranges::all_of(place->host, in_host)) {
    refuse(source, url, "it has the form [http://][user:password@]host[:port]");
  }
  proxy.host = place->host;
  if (place->port) proxy.port = *place->port;
  return proxy;
}

std::string_view without_final_dot(std::string_view name) {
  if (name.ends_with('.')) name.remove_suffix(1);
  return name;
}

// "example.org" is that, and what is below it; ".example.org" and "*.example.org" what is below.
bool is_below(std::string_view host, std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(1);
  if (!name.starts_with('.') && equals_ignoring_case(host, name)) return true;
  if (host.size() <= name.size()) return false;
  const auto tail = host.substr(host.size() - name.size());
  if (!equals_ignoring_case(tail, name)) return false;
  return name.starts_with('.') || host[host.size() - name.size() - 1] == '.';
}

bool bypasses(std::string_view entry, std::string_view host, std::uint16_t port) {
  if (entry == "*") return true;
  const auto address = Address::parse(host, 0);
  if (const auto network = Network::parse(entry)) return address && network->contains(*address);
  const auto place = split(entry);
  if (!place || place->host.empty() || (place->port && *place->port != port)) return false;
  if (const auto network = Network::parse(place->host)) {
    return address && network->contains(*address);
  }
  return !address && is_below(without_final_dot(host), without_final_dot(place->host));
}

bool any_bypasses(std::string_view entries, std::string_view host, std::uint16_t port) {
  static constexpr std::string_view separators = ", \t";
  while (!entries.empty()) {
    const auto end = entries.find_first_of(separators);
    const auto entry = entries.substr(0, end);
    if (!entry.empty() && bypasses(entry, host, port)) return true;
    if (end == std::string_view::npos) break;
    entries.remove_prefix(end + 1);
  }
  return false;
}

struct Variable {
  const char* name = nullptr;
  std::string_view value = {};
};

// The first that is set, and not empty or blank.
Variable first_of(const Environment& environment, std::initializer_list<const char*> names) {
  for (const auto* name : names) {
    const auto* value = environment(name);
    if (value && !trimmed(value).empty()) return {name, trimmed(value)};
  }
  return {};
}

Variable proxy_variable(const Environment& environment, bool secure) {
  if (secure) {
    return first_of(environment, {"https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"});
  }
  if (environment("REQUEST_METHOD")) {
    return first_of(environment, {"http_proxy", "all_proxy", "ALL_PROXY"});
  }
  return first_of(environment, {"http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"});
}

bool is_link_local(const Address& address) {
  return Network::parse("fe80::/10")->contains(address);
}

}  // namespace

std::optional<Proxy> choose_proxy(const ProxyOptions& options, bool secure, std::string_view host,
                                  std::uint16_t port) {
  return choose_proxy(options, secure, host, port,
                      [](const char* name) -> const char* { return std::getenv(name); });
}

std::optional<Proxy> choose_proxy(const ProxyOptions& options, bool secure, std::string_view host,
                                  std::uint16_t port, const Environment& environment) {
  // Of a URL's host with a zone: that is no part of what a proxy, or a list of hosts, is told.
  const auto percent = std::min(host.find('%'), host.size());
  const bool has_zone = percent < host.size();
  host = host.substr(0, percent);
  if (!options.url.empty()) {
    auto proxy = parse_proxy("proxy", options.url);
    if (any_bypasses(options.bypass, host, port)) return std::nullopt;
    return proxy;
  }
  if (!options.from_environment) return std::nullopt;
  const auto address = Address::parse(host, port);
  if (is_localhost(host) || (address && address->is_loopback())) return std::nullopt;
  // No other address is what it is by its zone.
  if (has_zone && address && is_link_local(*address)) return std::nullopt;
  const auto [name, url] = proxy_variable(environment, secure);
  if (!name) return std::nullopt;
  const auto exceptions = first_of(environment, {"no_proxy", "NO_PROXY"});
  if (any_bypasses(exceptions.value, host, port)) return std::nullopt;
  return parse_proxy(name, url);
}

}  // namespace hotline::http
