#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

/// The rules of the opening handshake that need no HTTP (RFC 6455, 4 and 9.1). Handshakes may
/// allocate and throw std::bad_alloc; frames never do.
namespace hotline::protocol {

/// The only version there is (RFC 6455, 4.1).
inline constexpr std::string_view websocket_version = "13";

/// Whether a Sec-WebSocket-Key is the base64 form of 16 bytes, unused bits 0 (RFC 6455, 4.2.1).
[[nodiscard]] bool valid_key(std::string_view key) noexcept;

/// A Sec-WebSocket-Key for 16 random bytes (RFC 6455, 4.1).
[[nodiscard]] std::string key_of(std::span<const unsigned char, 16> random);

/// The Sec-WebSocket-Accept that answers a key (RFC 6455, 4.2.2): 28 characters.
[[nodiscard]] std::string accept_for(std::string_view key);

/// The subprotocols a client offers, most wanted first, from the values of all its
/// Sec-WebSocket-Protocol headers in their order. Views into these. Empty if there is no header;
/// nullopt if an element is empty, repeated (compared with case), or no token (RFC 6455, 4.1 and
/// 11.3.4).
[[nodiscard]] std::optional<std::vector<std::string_view>> parse_subprotocols(
    std::span<const std::string_view> header_values);

/// Whether the values of all Sec-WebSocket-Extensions headers, if there are any, together follow
/// the grammar (RFC 6455, 9.1): elements `token *(";" token ["=" (token | quoted-string)])`, at
/// least one, where a quoted value without its quotes and escapes is a token. Lists may have empty
/// elements, as those of HTTP may.
[[nodiscard]] bool valid_extensions(std::span<const std::string_view> header_values) noexcept;

}  // namespace hotline::protocol
