#include "websocket/set_cookie.h"

#include <algorithm>
#include <array>
#include <ctime>
#include <limits>

#include <hotline/net/address.h>

#include "base/header_tokens.h"

namespace hotline::websocket {
namespace {

using Time = std::chrono::system_clock::time_point;

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

std::string lower(std::string_view text) {
  std::string result{text};
  for (auto& c : result) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return result;
}

// RFC 6265 5.2.2, in which too much is for ever.
std::optional<Time> max_age(std::string_view text, Time now) {
  const bool negative = text.starts_with('-');
  const auto digits = text.substr(negative ? 1 : 0);
  if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit)) return std::nullopt;
  constexpr std::int64_t most = std::int64_t{400} * 24 * 3600;  // as RFC 6265bis has it
  std::int64_t seconds = 0;
  for (const auto digit : digits) seconds = std::min(seconds * 10 + (digit - '0'), most);
  if (negative || seconds == 0) return Time::min();
  return now + std::chrono::seconds(seconds);
}

// One to `most` digits, behind which no further digit stands.
std::optional<int> leading_number(std::string_view& text, std::size_t least, std::size_t most) {
  std::size_t count = 0;
  int number = 0;
  while (count < text.size() && is_digit(text[count])) {
    if (++count > most) return std::nullopt;
    number = number * 10 + (text[count - 1] - '0');
  }
  if (count < least) return std::nullopt;
  text.remove_prefix(count);
  return number;
}

struct DateParts {
  std::optional<int> day, month, year;
  std::optional<std::array<int, 3>> time;

  void take(std::string_view token) {
    if (!time) {
      if (const auto found = time_of(token)) {
        time = found;
        return;
      }
    }
    if (!day) {
      auto rest = token;
      if (const auto number = leading_number(rest, 1, 2)) {
        day = number;
        return;
      }
    }
    if (!month) {
      static constexpr std::string_view months = "janfebmaraprmayjunjulaugsepoctnovdec";
      const auto at =
          token.size() < 3 ? std::string_view::npos : months.find(lower(token.substr(0, 3)));
      if (at != std::string_view::npos && at % 3 == 0) {
        month = static_cast<int>(at / 3);
        return;
      }
    }
    if (!year) {
      auto rest = token;
      if (const auto number = leading_number(rest, 2, 4)) year = number;
    }
  }

  static std::optional<std::array<int, 3>> time_of(std::string_view token) {
    std::array<int, 3> parts{};
    for (std::size_t i = 0; i < 3; ++i) {
      const auto number = leading_number(token, 1, 2);
      if (!number) return std::nullopt;
      parts[i] = *number;
      if (i == 2) break;
      if (!token.starts_with(':')) return std::nullopt;
      token.remove_prefix(1);
    }
    return parts;
  }
};

bool is_delimiter(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return byte == 0x09 || (byte >= 0x20 && byte <= 0x2f) || (byte >= 0x3b && byte <= 0x40) ||
         (byte >= 0x5b && byte <= 0x60) || (byte >= 0x7b && byte <= 0x7e);
}

}  // namespace

std::optional<Time> parse_cookie_date(std::string_view text) {
  DateParts parts;
  while (!text.empty()) {
    const auto size = static_cast<std::size_t>(
        std::find_if(text.begin(), text.end(), is_delimiter) - text.begin());
    if (size > 0) parts.take(text.substr(0, size));
    text.remove_prefix(std::min(text.size(), size + 1));
  }
  if (!parts.day || !parts.month || !parts.year || !parts.time) return std::nullopt;
  auto year = *parts.year;
  if (year >= 70 && year <= 99) year += 1900;
  if (year >= 0 && year <= 69) year += 2000;
  const auto [hour, minute, second] = *parts.time;
  if (*parts.day < 1 || *parts.day > 31 || year < 1601 || hour > 23 || minute > 59 || second > 59) {
    return std::nullopt;
  }
  const std::chrono::year_month_day date{
      std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(*parts.month + 1)},
      std::chrono::day{static_cast<unsigned>(*parts.day)}};
  if (!date.ok()) return std::nullopt;
  // Nanoseconds since 1970 end in 2262, and begin in 1677.
  if (year > 2261) return Time::max();
  if (year < 1678) return Time::min();
  return Time{std::chrono::sys_days{date}} + std::chrono::hours(hour) +
         std::chrono::minutes(minute) + std::chrono::seconds(second);
}

std::optional<SetCookie> SetCookie::parse(std::string_view text, Time now) {
  if (!is_field_value(text)) return std::nullopt;
  const auto next = [&] {
    const auto end = std::min(text.find(';'), text.size());
    const auto part = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    return part;
  };
  const auto split = [](std::string_view part) {
    const auto equals = part.find('=');
    return std::pair{trimmed(part.substr(0, equals)), equals == std::string_view::npos
                                                          ? std::string_view{}
                                                          : trimmed(part.substr(equals + 1))};
  };
  SetCookie cookie;
  const auto first = next();
  if (first.find('=') == std::string_view::npos) return std::nullopt;
  const auto [name, value] = split(first);
  if (name.empty()) return std::nullopt;
  cookie.name = name;
  cookie.value = value;
  std::optional<Time> expires_at;
  std::optional<Time> lasts_until;
  while (!text.empty()) {
    const auto [attribute, given] = split(next());
    if (equals_ignoring_case(attribute, "Expires")) {
      if (const auto date = parse_cookie_date(given)) expires_at = date;
    } else if (equals_ignoring_case(attribute, "Max-Age")) {
      if (const auto age = max_age(given, now)) lasts_until = age;
    } else if (equals_ignoring_case(attribute, "Domain")) {
      const auto domain = given.substr(given.starts_with('.') ? 1 : 0);
      if (!domain.empty()) cookie.domain = lower(domain);
    } else if (equals_ignoring_case(attribute, "Path")) {
      cookie.path.reset();
      if (given.starts_with('/')) cookie.path = given;
    } else if (equals_ignoring_case(attribute, "Secure")) {
      cookie.secure = true;
    } else if (equals_ignoring_case(attribute, "HttpOnly")) {
      cookie.http_only = true;
    }
  }
  cookie.expires = lasts_until ? lasts_until : expires_at;
  return cookie;
}

bool domain_matches(std::string_view host, std::string_view domain) {
  if (host == domain) return true;
  // Below a domain there are names only: no unix socket, and no interface of an address's zone.
  return host.find(':') == std::string_view::npos && host.size() > domain.size() &&
         host.ends_with(domain) && host[host.size() - domain.size() - 1] == '.' &&
         !Address::parse(host, 0);
}

bool path_matches(std::string_view request_path, std::string_view cookie_path) {
  if (!request_path.starts_with(cookie_path)) return false;
  return request_path.size() == cookie_path.size() || cookie_path.ends_with('/') ||
         request_path[cookie_path.size()] == '/';
}

std::string_view default_path(std::string_view request_path) {
  const auto last = request_path.rfind('/');
  return last == 0 || last == std::string_view::npos ? "/" : request_path.substr(0, last);
}

}  // namespace hotline::websocket
