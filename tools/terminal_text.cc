#include "tools/terminal_text.h"

#include <wchar.h>
#include <wctype.h>

#include <array>
#include <cstdint>
#include <cstdio>

namespace hotline::tools {
namespace {

// The code point that begins `text`, and its length; length 0 where it is none.
struct CodePoint {
  char32_t value = 0;
  std::size_t length = 0;
};

CodePoint first_code_point(std::string_view text) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned lead = at(0);
  if (lead < 0x80) return {lead, 1};
  const std::size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < length) return {};
  char32_t value = lead & (0x7f >> length);
  for (std::size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xc0) != 0x80) return {};
    value = value << 6 | (at(i) & 0x3f);
  }
  static constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (value < least[length] || value > 0x10ffff || (value >= 0xd800 && value < 0xe000)) return {};
  return {value, length};
}

bool is_harmful(char32_t c) {
  if (c == '\n' || c == '\t') return false;
  const bool is_control = c < 0x20 || (c >= 0x7f && c < 0xa0);
  const bool is_separator = c == 0x2028 || c == 0x2029;
  const bool turns_direction = c == 0x061c || c == 0x200e || c == 0x200f ||
                               (c >= 0x202a && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
  return is_control || is_separator || turns_direction;
}

void add_byte(std::string& out, char byte) {
  std::array<char, 8> escape;
  std::snprintf(escape.data(), escape.size(), "\\x%02x", static_cast<unsigned char>(byte));
  out += escape.data();
}

int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::string for_terminal(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const auto point = first_code_point(text);
    const auto length = point.length == 0 ? 1 : point.length;
    if (point.length == 0 || (point.length == 1 && is_harmful(point.value))) {
      add_byte(out, text.front());
    } else if (is_harmful(point.value)) {
      std::array<char, 16> escape;
      std::snprintf(escape.data(), escape.size(), "\\u{%x}", static_cast<unsigned>(point.value));
      out += escape.data();
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length);
  }
  return out;
}

std::string to_hex(std::string_view bytes, std::size_t most) {
  static constexpr std::string_view digits = "0123456789abcdef";
  const auto shown = bytes.substr(0, most);
  std::string out;
  out.reserve(shown.size() * 3 + 4);
  for (const char byte : shown) {
    if (!out.empty()) out += ' ';
    out += digits[static_cast<unsigned char>(byte) >> 4];
    out += digits[static_cast<unsigned char>(byte) & 15];
  }
  if (shown.size() < bytes.size()) out += " ...";
  return out;
}

std::optional<std::string> parse_hex(std::string_view text) {
  if (text.starts_with("0x") || text.starts_with("0X")) text.remove_prefix(2);
  std::string bytes;
  int high = -1;
  for (const char c : text) {
    const bool separates = c == ' ' || c == '\t' || c == ':' || c == '\r';
    if (separates && high < 0) continue;
    const int value = digit(c);
    if (value < 0) return std::nullopt;
    if (high < 0) {
      high = value;
    } else {
      bytes += static_cast<char>(high << 4 | value);
      high = -1;
    }
  }
  if (high >= 0) return std::nullopt;
  return bytes;
}

std::string binary_note(std::string_view bytes) {
  std::string note = "binary, " + std::to_string(bytes.size());
  note += bytes.size() == 1 ? " byte" : " bytes";
  if (!bytes.empty()) note += ": " + to_hex(bytes, 24);
  return note;
}

std::size_t columns_of(std::wstring_view text) {
  std::size_t columns = 0;
  for (const wchar_t c : text) {
    const int width = ::wcwidth(c);
    if (width >= 0) {
      columns += static_cast<std::size_t>(width);
    } else if (::iswcntrl(static_cast<wint_t>(c)) != 0 && c < 0x80) {
      columns += 2;
    } else {
      columns += c > 0xffff ? 8 : 7;
    }
  }
  return columns;
}

}  // namespace hotline::tools
