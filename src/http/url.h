#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hotline::http {

/// Where a WebSocket is (RFC 6455 3).
struct Url {
  struct Credentials {
    std::string user;
    std::string password;
  };

  bool secure = false;
  /// Lower-case; an IPv6 literal without its brackets; "" where there is a socket_path.
  std::string host;
  /// Of a link-local IPv6 literal: the interface, by name or number (RFC 6874). For this machine
  /// alone, and so no part of what Host says.
  std::string zone;
  /// The scheme's, if none is given; 0 where there is a socket_path.
  std::uint16_t port = 0;
  /// Path and query as they stand in a request line: "/chat?room=1".
  std::string target = "/";
  /// Percent-decoded.
  std::optional<Credentials> credentials;
  /// Of a unix socket, in place of host and port.
  std::string socket_path;

  /// The host as connect_tcp() has it: "fe80::1%eth0".
  std::string host_in_zone() const;
  /// What Host says (RFC 9112 3.2): with brackets where they belong, without a default port.
  std::string authority() const;
  /// The whole, without the credentials: for messages.
  std::string text() const;
  /// Scheme, host and port (RFC 6454 5).
  bool same_origin(const Url& other) const noexcept;
};

/// "ws://…", "wss://…", and as node-ws has them "ws+unix:/path/to.sock:/chat" and "wss+unix:…".
/// Throws Error (bad_url) that says what of it is wrong.
Url parse_websocket_url(std::string_view text);

/// A text that is perhaps a URL, without what stands before the host's "@": it may be a password.
std::string without_credentials(std::string_view text);

/// Where a Location leads from there: relative ones are resolved, http is ws and https is wss, a
/// fragment means nothing. Throws Error (bad_url).
Url resolve_location(const Url& base, std::string_view location);

}  // namespace hotline::http
