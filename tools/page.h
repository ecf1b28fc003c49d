#pragma once

#include <functional>
#include <string>
#include <string_view>

#include <hotline/http/exchange.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/upgrader.h>

namespace hotline::tools {

/// The handler of GET /: a page to try a WebSocket on. One document that needs nothing besides,
/// with an ETag, and a Content-Security-Policy that allows its own script and style, by their
/// hashes, and WebSockets.
http::Handler page();

/// The subprotocol that a page offers to be shown its handshake, which a browser hides from it.
inline constexpr std::string_view handshake_subprotocol = "handshake.hotline";

/// A handler that upgrades and calls `talk`. Where handshake_subprotocol was agreed on, the
/// server's first message is the handshake_message(). `upgrader` names that subprotocol, or never
/// does so.
http::Handler showing_handshake(const websocket::Upgrader& upgrader,
                                std::function<Task<>(websocket::Connection)> talk);

/// {"request": "...", "response": "..."}: both heads as they went over the wire, bytes above 0x7f
/// read as Latin-1. Left out are the values that a page must not come to know of a browser or a
/// proxy: of the request all but those known to be harmless, of the response Set-Cookie. "[9 bytes
/// not shown]" stands in their place.
std::string handshake_message(std::string_view request, std::string_view response);

}  // namespace hotline::tools
