#include "http/forwarded.h"

#include <charconv>
#include <optional>

#include "base/header_tokens.h"
#include "http/request_builder.h"

namespace hotline::http {
namespace {

// The elements of all fields of a name, as one list (RFC 9110 5.3), the last first.
class ElementsBackwards {
 public:
  ElementsBackwards(const Request& request, std::string_view name) noexcept
      : fields_(request.headers()), name_(name), field_(fields_.size()) {}

  // Empty elements are none (RFC 9110 5.6.1.2).
  std::optional<std::string_view> next() noexcept {
    for (;;) {
      while (!rest_) {
        if (field_ == 0) return std::nullopt;
        const auto& field = fields_[--field_];
        if (equals_ignoring_case(field.name, name_)) rest_ = field.value;
      }
      const auto comma = last_comma(*rest_);
      const auto element = trimmed(rest_->substr(comma == std::string_view::npos ? 0 : comma + 1));
      rest_ =
          comma == std::string_view::npos ? std::nullopt : std::optional{rest_->substr(0, comma)};
      if (!element.empty()) return element;
    }
  }

 private:
  // Outside of quotes, as seen from the right: a quote that nobody closed on the left stays there.
  static std::size_t last_comma(std::string_view list) noexcept {
    bool quoted = false;
    for (auto at = list.size(); at-- > 0;) {
      if (list[at] == '"') quoted = !quoted;
      if (list[at] == ',' && !quoted) return at;
    }
    return std::string_view::npos;
  }

  std::span<const Field> fields_;
  std::string_view name_;
  std::size_t field_;
  std::optional<std::string_view> rest_;
};

std::optional<std::string_view> last_element(const Request& request,
                                             std::string_view name) noexcept {
  return ElementsBackwards{request, name}.next();
}

std::optional<std::uint16_t> port_in(std::string_view text) noexcept {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return port;
}

// "192.0.2.1", "192.0.2.1:80", "[2001:db8::1]", "[2001:db8::1]:80" (RFC 7239 6) and, as
// X-Forwarded-For has it, "2001:db8::1". A port that is no number (obfuscated) does not matter.
std::optional<Address> node_address(std::string_view node) noexcept {
  if (auto bare = Address::parse(node, 0)) return bare;
  auto host = node;
  std::string_view port;
  if (node.starts_with('[')) {
    const auto end = node.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = node.substr(1, end - 1);
    port = node.substr(end + 1);
    if (host.find(':') == std::string_view::npos) return std::nullopt;
  } else {
    const auto colon = node.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    host = node.substr(0, colon);
    port = node.substr(colon);
    if (host.find(':') != std::string_view::npos) return std::nullopt;
  }
  if (!port.empty() && port[0] != ':') return std::nullopt;
  if (port.size() == 1) return std::nullopt;
  const auto number = port.empty() ? std::nullopt : port_in(port.substr(1));
  if (!port.empty() && !number && port[1] != '_') return std::nullopt;
  return Address::parse(host, number.value_or(0));
}

std::optional<bool> secure_scheme(std::string_view scheme) noexcept {
  if (equals_ignoring_case(scheme, "https") || equals_ignoring_case(scheme, "wss")) return true;
  if (equals_ignoring_case(scheme, "http") || equals_ignoring_case(scheme, "ws")) return false;
  return std::nullopt;
}

// One element of Forwarded (RFC 7239 4).
struct Element {
  std::string_view client;
  std::string_view host;
  std::string_view scheme;
};

// A token, or a quoted text without escapes: nothing that is of use here needs one.
std::optional<std::string_view> value_in(std::string_view text) noexcept {
  if (is_token(text)) return text;
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  if (text.find_first_of("\"\\") != std::string_view::npos) return std::nullopt;
  return text;
}

std::optional<Element> parse_element(std::string_view text) noexcept {
  Element element;
  for (std::optional<std::string_view> rest = text; rest;) {
    std::size_t end = 0;
    for (bool quoted = false; end < rest->size() && (quoted || (*rest)[end] != ';'); ++end) {
      if ((*rest)[end] == '"') quoted = !quoted;
    }
    const auto pair = trimmed(rest->substr(0, end));
    rest = end == rest->size() ? std::nullopt : std::optional{rest->substr(end + 1)};
    if (pair.empty()) continue;
    const auto sign = pair.find('=');
    if (sign == std::string_view::npos || !is_token(pair.substr(0, sign))) return std::nullopt;
    const auto name = pair.substr(0, sign);
    const auto value = value_in(pair.substr(sign + 1));
    if (!value) return std::nullopt;
    auto* place = equals_ignoring_case(name, "for")     ? &element.client
                  : equals_ignoring_case(name, "host")  ? &element.host
                  : equals_ignoring_case(name, "proto") ? &element.scheme
                                                        : nullptr;
    if (!place) continue;                      // "by", and extensions
    if (!place->empty()) return std::nullopt;  // each at most once
    *place = *value;
  }
  return element;
}

void believe(ClientView& view, std::string_view host, std::string_view scheme) noexcept {
  if (!host.empty() && parse_host(host)) view.host = host;
  if (const auto secure = secure_scheme(scheme)) view.secure = *secure;
}

// Of what several proxies say about host and scheme, the one nearest to the client knows it.
ClientView by_forwarded(const Request& request, ClientView view, const TrustedPeers& trusted) {
  ElementsBackwards elements{request, "Forwarded"};
  while (trusted.trusts(view.client)) {
    const auto text = elements.next();
    const auto element = text ? parse_element(*text) : std::nullopt;
    if (!element) break;
    believe(view, element->host, element->scheme);
    const auto client = node_address(element->client);
    if (!client) break;
    view.client = *client;
  }
  return view;
}

// The last host and scheme: what is left of them may be the client's own.
ClientView by_x_forwarded(const Request& request, ClientView view, const TrustedPeers& trusted) {
  believe(view, last_element(request, "X-Forwarded-Host").value_or(""),
          last_element(request, "X-Forwarded-Proto").value_or(""));
  ElementsBackwards elements{request, "X-Forwarded-For"};
  while (trusted.trusts(view.client)) {
    const auto text = elements.next();
    const auto client = text ? node_address(*text) : std::nullopt;
    if (!client) break;
    view.client = *client;
  }
  return view;
}

}  // namespace

ClientView forwarded_view(const Request& request, const ClientView& direct,
                          const TrustedPeers& trusted) {
  if (!trusted.trusts(direct.client)) return direct;
  if (request.header_count("Forwarded") == 0) return by_x_forwarded(request, direct, trusted);
  const auto view = by_forwarded(request, direct, trusted);
  // A proxy that writes only one of them passes on the other as the client wrote it.
  if (request.header_count("X-Forwarded-For") > 0 &&
      by_x_forwarded(request, direct, trusted).client.bytes() != view.client.bytes()) {
    return direct;
  }
  return view;
}

}  // namespace hotline::http
