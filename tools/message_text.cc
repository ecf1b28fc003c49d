#include "tools/message_text.h"

#include "tools/json_text.h"
#include "tools/terminal_text.h"

namespace hotline::tools {

std::string shown(const protocol::Message& message, const MessageStyle& style) {
  const std::string_view bytes{message.data(), message.size()};
  if (style.hex) return to_hex(bytes) + "\n";
  if (message.is_binary()) {
    return style.terminal ? "(" + binary_note(bytes) + ")\n" : std::string(bytes);
  }
  if (style.json) {
    auto colours = style.colours ? terminal_colours : no_colours;
    if (style.terminal) colours.token = for_terminal;
    if (auto json = indented_json(bytes, colours)) return *std::move(json) + "\n";
  }
  return (style.terminal ? for_terminal(bytes) : std::string(bytes)) + "\n";
}

}  // namespace hotline::tools
