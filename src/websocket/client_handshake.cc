#include "websocket/client_handshake.h"

#include <algorithm>
#include <span>

#include <hotline/protocol/handshake.h>

#include "base/base64.h"
#include "base/header_tokens.h"
#include "websocket/option_rules.h"

namespace hotline::websocket {
namespace {

[[noreturn]] void reject(const std::string& what) { throw Error(Fault::bad_option, what); }

// What the handshake says itself, or must not say.
constexpr std::string_view reserved_headers[] = {
    "Upgrade",
    "Connection",
    "Sec-WebSocket-Key",
    "Sec-WebSocket-Version",
    "Sec-WebSocket-Accept",
    "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Extensions",
    "Origin",
    "Content-Length",
    "Transfer-Encoding",
    "Trailer",
    "TE",
    "Expect",
    "Keep-Alive",
    "Proxy-Connection",
    "Proxy-Authorization",
};
constexpr std::string_view only_once[] = {"Host", "Authorization", "Cookie"};

bool is_one_of(std::string_view name, std::span<const std::string_view> names) {
  return std::any_of(names.begin(), names.end(),
                     [&](std::string_view other) { return equals_ignoring_case(name, other); });
}

std::string_view header(const DialerOptions& options, std::string_view name) {
  for (const auto& [key, value] : options.headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return {};
}

bool has_header(const DialerOptions& options, std::string_view name) {
  return std::any_of(options.headers.begin(), options.headers.end(),
                     [&](const auto& field) { return equals_ignoring_case(field.first, name); });
}

class Head {
 public:
  explicit Head(std::string_view target) {
    text_.append("GET ").append(target).append(" HTTP/1.1\r\n");
  }
  void add(std::string_view name, std::string_view value) {
    text_.append(name).append(": ").append(value).append("\r\n");
  }
  std::string finish() && { return std::move(text_.append("\r\n")); }

 private:
  std::string text_;
};

}  // namespace

void check_handshake_options(const DialerOptions& options) {
  check_subprotocols(options.subprotocols);
  if (!is_field_value(options.origin)) {
    reject("origin: \"" + escaped(options.origin) + "\" has a control byte");
  }
  std::vector<std::string_view> once;
  for (const auto& [name, value] : options.headers) {
    if (!is_token(name)) {
      reject("headers: \"" + escaped(name) + "\" is not the name of a header field");
    }
    if (equals_ignoring_case(name, "Origin")) reject("headers: Origin is an option of its own");
    if (is_one_of(name, reserved_headers)) reject("headers: " + name + " is the handshake's");
    if (!is_field_value(value)) {
      reject("headers: the value of " + name + " has a control byte");  // perhaps a secret
    }
    if (!is_one_of(name, only_once)) continue;
    if (is_one_of(name, once)) reject("headers: " + name + " stands twice");
    if (equals_ignoring_case(name, "Host") && trimmed(value).empty()) {
      reject("headers: Host is empty");
    }
    once.push_back(name);
  }
}

std::string request_head(const DialerOptions& options, const http::Url& url, std::string_view key,
                         bool foreign, std::string_view cookies) {
  Head head{url.target};
  const auto host = foreign ? std::string_view{} : header(options, "Host");
  head.add("Host", host.empty() ? url.authority() : trimmed(host));
  head.add("Upgrade", "websocket");
  head.add("Connection", "Upgrade");
  head.add("Sec-WebSocket-Version", protocol::websocket_version);
  head.add("Sec-WebSocket-Key", key);
  if (!options.subprotocols.empty()) {
    std::string list;
    for (const auto& name : options.subprotocols) list += (list.empty() ? "" : ", ") + name;
    head.add("Sec-WebSocket-Protocol", list);
  }
  if (!options.origin.empty()) head.add("Origin", options.origin);
  if (url.credentials && (foreign || !has_header(options, "Authorization"))) {
    head.add("Authorization",
             "Basic " + base64(url.credentials->user + ":" + url.credentials->password));
  }
  // One field for all (RFC 6265 5.4).
  std::string all_cookies{foreign ? std::string_view{} : trimmed(header(options, "Cookie"))};
  if (!cookies.empty()) all_cookies.append(all_cookies.empty() ? "" : "; ").append(cookies);
  if (!all_cookies.empty()) head.add("Cookie", all_cookies);
  for (const auto& [name, value] : options.headers) {
    if (equals_ignoring_case(name, "Host") || equals_ignoring_case(name, "Cookie")) continue;
    if (foreign && equals_ignoring_case(name, "Authorization")) continue;
    head.add(name, trimmed(value));
  }
  return std::move(head).finish();
}

int check_switching(const http::ResponseHead& response, int version, std::string_view key,
                    const std::vector<std::string>& subprotocols, const http::Url& url) {
  const auto refuse = [&](const std::string& why) {
    throw DialRefused(Fault::bad_response, url.text() + ": " + why, response);
  };
  const auto quoted = [&](std::string_view name) {
    const auto count = response.header_count(name);
    if (count == 0) return std::string(name) + " is missing";
    if (count > 1) return std::string(name) + " stands " + std::to_string(count) + " times";
    return std::string(name) + " is \"" + escaped(response.header(name)) + "\"";
  };
  if (version != 11) refuse("101 in HTTP/1.0");
  if (response.header_count("Upgrade") != 1 ||
      !equals_ignoring_case(response.header("Upgrade"), "websocket")) {
    refuse(quoted("Upgrade") + ", and must be \"websocket\"");
  }
  if (!response.header_has_token("Connection", "upgrade")) {
    refuse(quoted("Connection") + ", and must have \"Upgrade\"");
  }
  const auto accept = protocol::accept_for(key);
  if (response.header_count("Sec-WebSocket-Accept") != 1 ||
      response.header("Sec-WebSocket-Accept") != accept) {
    refuse(quoted("Sec-WebSocket-Accept") + ", and must be \"" + accept + "\"");
  }
  if (response.header_count("Sec-WebSocket-Extensions") > 0) {
    refuse(quoted("Sec-WebSocket-Extensions") + ", and none was offered");
  }
  const auto count = response.header_count("Sec-WebSocket-Protocol");
  if (count == 0) return -1;
  const auto chosen = std::find(subprotocols.begin(), subprotocols.end(),
                                response.header("Sec-WebSocket-Protocol"));
  if (count > 1 || chosen == subprotocols.end()) {
    refuse(quoted("Sec-WebSocket-Protocol") +
           (count > 1 ? ", and one is to be chosen" : ", which was not offered"));
  }
  return static_cast<int>(chosen - subprotocols.begin());
}

}  // namespace hotline::websocket
