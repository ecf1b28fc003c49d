#include "tools/open_metrics.h"

#include <array>
#include <charconv>
#include <utility>

namespace hotline::tools {

void OpenMetrics::family(std::string_view name, std::string_view type, std::string_view help,
                         std::string_view unit) {
  name_ = name;
  text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
  if (!unit.empty()) text_.append("# UNIT ").append(name).append(" ").append(unit).append("\n");
  text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
}

void OpenMetrics::begin(std::string_view suffix, std::string_view labels) {
  text_.append(name_).append(suffix);
  if (!labels.empty()) text_.append("{").append(labels).append("}");
  text_ += ' ';
}

void OpenMetrics::sample(std::string_view suffix, std::string_view labels, std::uint64_t value) {
  begin(suffix, labels);
  text_.append(std::to_string(value)).append("\n");
}

void OpenMetrics::sample(std::string_view suffix, std::string_view labels, double value) {
  begin(suffix, labels);
  std::array<char, 32> buffer;
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value);
  text_.append(buffer.data(), error == std::errc{} ? end : buffer.data()).append("\n");
}

std::string OpenMetrics::finish() && {
  text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace hotline::tools
