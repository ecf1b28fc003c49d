#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace hotline::tools {

/// Text in the OpenMetrics format, version 1.0. Names, helps and labels are the program's own and
/// need no escaping.
class OpenMetrics {
 public:
  static constexpr std::string_view content_type =
      "application/openmetrics-text; version=1.0.0; charset=utf-8";

  /// Begins a family; its samples follow. `type`: "counter" (its samples end in _total), "gauge",
  /// "histogram" or "info". `unit`: what the name ends in, or "".
  void family(std::string_view name, std::string_view type, std::string_view help,
              std::string_view unit = {});
  /// A sample of the family: its name and `suffix`, `labels` as they stand between the braces.
  void sample(std::string_view suffix, std::string_view labels, std::uint64_t value);
  void sample(std::string_view suffix, std::string_view labels, double value);

  /// The whole; nothing can be added any more.
  std::string finish() &&;

 private:
  void begin(std::string_view suffix, std::string_view labels);

  std::string name_;
  std::string text_;
};

}  // namespace hotline::tools
