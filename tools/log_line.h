#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <hotline/base/clock.h>

#include "tools/serve_options.h"

namespace hotline::tools {

/// Text as it stands between the quotes of a JSON string. Control characters, and bytes that are no
/// UTF-8, are escaped (those as \\x80, a text of four characters), so that the line is one line of
/// JSON whatever a peer sent. Beyond `limit` bytes: "...".
std::string json_escaped(std::string_view text, std::size_t limit = 1024);

/// One event's line, as key="value" pairs or as the inside of a JSON object, by the same keys. What
/// is put into it may come from a stranger.
class LogLine {
 public:
  LogLine(LogFormat format, std::string_view event);

  LogLine& add(std::string_view key, std::string_view text);
  LogLine& add(std::string_view key, std::uint64_t number);
  /// In seconds.
  LogLine& add(std::string_view key, Duration duration);

  const std::string& text() const noexcept { return text_; }

 private:
  void begin(std::string_view key);

  LogFormat format_;
  std::string text_;
};

}  // namespace hotline::tools
