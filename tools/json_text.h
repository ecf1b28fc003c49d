#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace hotline::tools {

/// What stands before and behind each kind of token; for a terminal its colours.
struct JsonColours {
  std::string_view key, text, number, word, end;
  /// What becomes of each token, if anything: see for_terminal().
  std::string (*token)(std::string_view) = nullptr;
};

/// No colours, and those of a terminal.
inline constexpr JsonColours no_colours{};
inline constexpr JsonColours terminal_colours{"\x1b[34m", "\x1b[32m", "\x1b[36m",
                                              "\x1b[35m", "\x1b[0m",  nullptr};

/// The JSON text (RFC 8259) with an element a line, indented by two spaces; nothing where it is not
/// JSON, or nested deeper than 1000, or more than 8 times as long as before and 16 MiB. Tokens stay
/// as they were written: numbers keep their digits, members their order. Ends without a line feed.
std::optional<std::string> indented_json(std::string_view text,
                                         const JsonColours& colours = no_colours);

}  // namespace hotline::tools
