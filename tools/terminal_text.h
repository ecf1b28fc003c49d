#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace hotline::tools {

/// Text from a peer as a terminal may have it: what would move the cursor, change colours or turn
/// the line's direction around becomes \xNN or \u{NNNN}; so does what is not UTF-8. Line feeds and
/// tabs stay.
std::string for_terminal(std::string_view text);

/// "48 69": two digits a byte, a space between. `most`: further bytes become "...".
std::string to_hex(std::string_view bytes, std::size_t most = std::string_view::npos);

/// "4869", "48 69", "48:69" or "0x4869": the bytes; nothing where it is not hexadecimal.
std::optional<std::string> parse_hex(std::string_view text);

/// A binary message in a few words for a person: its size and its first bytes.
std::string binary_note(std::string_view bytes);

/// How many of a terminal's columns the text takes; what cannot be shown counts as it is escaped by
/// the line editor (^X, or \U+NNNN).
std::size_t columns_of(std::wstring_view text);

}  // namespace hotline::tools
