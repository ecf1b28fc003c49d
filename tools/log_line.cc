#include "tools/log_line.h"

#include <array>
#include <charconv>

#include <hotline/base/error.h>

#include "protocol/utf8.h"

namespace hotline::tools {
namespace {

constexpr std::string_view digits = "0123456789abcdef";

// The length of the UTF-8 character that the text begins with; 0: it is none.
std::size_t character(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  const std::size_t size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (text.size() < size) return 0;
  return protocol::valid_utf8({text.data(), size}) ? size : 0;
}

void append_character(std::string& result, std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  const auto second = character.size() == 2 ? static_cast<unsigned char>(character[1]) : 0;
  const bool control = character.size() == 1 ? first < 0x20 || first == 0x7f
                                             : first == 0xc2 && second != 0 && second < 0xa0;
  if (control) {
    const auto code = character.size() == 1 ? first : second;
    result += "\\u00";
    result += digits[code >> 4];
    result += digits[code & 15];
    return;
  }
  if (first == '"' || first == '\\') result += '\\';
  result += character;
}

}  // namespace

std::string json_escaped(std::string_view text, std::size_t limit) {
  std::string result;
  result.reserve(std::min(text.size(), limit) + 8);
  for (std::size_t at = 0; at < text.size();) {
    if (at >= limit) return result + "...";
    if (const auto size = character(text.substr(at))) {
      append_character(result, text.substr(at, size));
      at += size;
    } else {
      const auto byte = static_cast<unsigned char>(text[at++]);
      result += "\\\\x";
      result += digits[byte >> 4];
      result += digits[byte & 15];
    }
  }
  return result;
}

LogLine::LogLine(LogFormat format, std::string_view event) : format_(format) {
  text_.reserve(256);
  if (format_ == LogFormat::text) {
    text_ += event;
  } else {
    text_.append("\"event\":\"").append(event).append("\"");
  }
}

void LogLine::begin(std::string_view key) {
  if (format_ == LogFormat::text) {
    text_.append(" ").append(key).append("=");
  } else {
    text_.append(",\"").append(key).append("\":");
  }
}

LogLine& LogLine::add(std::string_view key, std::string_view text) {
  begin(key);
  text_ += '"';
  text_ += format_ == LogFormat::text ? escaped(text, 1024) : json_escaped(text);
  text_ += '"';
  return *this;
}

LogLine& LogLine::add(std::string_view key, std::uint64_t number) {
  begin(key);
  text_ += std::to_string(number);
  return *this;
}

LogLine& LogLine::add(std::string_view key, Duration duration) {
  begin(key);
  std::array<char, 32> buffer;
  const auto seconds = std::chrono::duration<double>(duration).count();
  const auto [end, error] = std::to_chars(buffer.data(), buffer.data() + buffer.size(), seconds,
                                          std::chars_format::fixed, 6);
  text_.append(buffer.data(), error == std::errc{} ? end : buffer.data());
  return *this;
}

}  // namespace hotline::tools
