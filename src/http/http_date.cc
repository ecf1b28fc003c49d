#include "http/http_date.h"

#include <cstdio>

namespace hotline::http {
namespace {

// Not strftime's and strptime's names, which follow the program's locale.
constexpr const char* days[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                "Thursday", "Friday", "Saturday"};
constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";

class Reader {
 public:
  explicit Reader(std::string_view text) noexcept : rest_(text) {}

  bool skip(std::string_view text) noexcept {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  // The name of a day: its first three letters, or all of it.
  bool day(bool whole) noexcept {
    for (const std::string_view name : days) {
      if (skip(whole ? name : name.substr(0, 3))) return true;
    }
    return false;
  }
  bool number(int& value, std::size_t digits) noexcept {
    if (rest_.size() < digits) return false;
    value = 0;
    for (const auto c : rest_.substr(0, digits)) {
      if (c < '0' || c > '9') return false;
      value = value * 10 + (c - '0');
    }
    rest_.remove_prefix(digits);
    return true;
  }
  bool month(int& value) noexcept {
    const auto at = rest_.size() < 3 ? std::string_view::npos : months.find(rest_.substr(0, 3));
    if (at == std::string_view::npos || at % 3 != 0) return false;
    value = static_cast<int>(at / 3);
    rest_.remove_prefix(3);
    return true;
  }
  bool time(std::tm& parts) noexcept {
    return number(parts.tm_hour, 2) && skip(":") && number(parts.tm_min, 2) && skip(":") &&
           number(parts.tm_sec, 2);
  }
  bool at_end() const noexcept { return rest_.empty(); }

 private:
  std::string_view rest_;
};

// "Sun, 06 Nov 1994 08:49:37 GMT"
bool read_fixdate(Reader text, std::tm& parts) noexcept {
  return text.day(false) && text.skip(", ") && text.number(parts.tm_mday, 2) && text.skip(" ") &&
         text.month(parts.tm_mon) && text.skip(" ") && text.number(parts.tm_year, 4) &&
         text.skip(" ") && text.time(parts) && text.skip(" GMT") && text.at_end();
}

// "Sunday, 06-Nov-94 08:49:37 GMT"
bool read_rfc850(Reader text, std::tm& parts) noexcept {
  if (!(text.day(true) && text.skip(", ") && text.number(parts.tm_mday, 2) && text.skip("-") &&
        text.month(parts.tm_mon) && text.skip("-") && text.number(parts.tm_year, 2) &&
        text.skip(" ") && text.time(parts) && text.skip(" GMT") && text.at_end())) {
    return false;
  }
  // A year that seems more than 50 years ahead is in the past.
  std::tm today{};
  const auto now = std::time(nullptr);
  ::gmtime_r(&now, &today);
  const auto this_year = today.tm_year + 1900;
  parts.tm_year += this_year - this_year % 100;
  if (parts.tm_year > this_year + 50) parts.tm_year -= 100;
  return true;
}

// "Sun Nov  6 08:49:37 1994"
bool read_asctime(Reader text, std::tm& parts) noexcept {
  if (!(text.day(false) && text.skip(" ") && text.month(parts.tm_mon) && text.skip(" "))) {
    return false;
  }
  const bool one_digit = text.skip(" ");
  return text.number(parts.tm_mday, one_digit ? 1 : 2) && text.skip(" ") && text.time(parts) &&
         text.skip(" ") && text.number(parts.tm_year, 4) && text.at_end();
}

}  // namespace

std::string format_http_date(std::time_t time) {
  std::tm parts{};
  ::gmtime_r(&time, &parts);
  char text[64];
  const auto size =
      std::snprintf(text, sizeof text, "%.3s, %02d %.3s %04d %02d:%02d:%02d GMT",
                    days[parts.tm_wday], parts.tm_mday, months.data() + 3 * parts.tm_mon,
                    parts.tm_year + 1900, parts.tm_hour, parts.tm_min, parts.tm_sec);
  return {text, static_cast<std::size_t>(size)};
}

std::optional<std::time_t> parse_http_date(std::string_view text) {
  std::tm parts{};
  const Reader reader{text};
  if (!read_fixdate(reader, parts) && !read_rfc850(reader, parts) && !read_asctime(reader, parts)) {
    return std::nullopt;
  }
  if (parts.tm_mday < 1 || parts.tm_mday > 31 || parts.tm_hour > 23 || parts.tm_min > 59 ||
      parts.tm_sec > 60) {
    return std::nullopt;
  }
  parts.tm_year -= 1900;
  return ::timegm(&parts);
}

}  // namespace hotline::http
