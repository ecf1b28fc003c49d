#include "tools/units.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

namespace hotline::tools {
namespace {

template <typename Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::uint64_t> parse_size(std::string_view text) {
  unsigned shift = 0;
  if (!text.empty()) {
    switch (text.back()) {
      case 'k':
      case 'K': shift = 10; break;
      case 'm':
      case 'M': shift = 20; break;
      case 'g':
      case 'G': shift = 30; break;
      default: break;
    }
  }
  if (shift != 0) text.remove_suffix(1);
  const auto number = parse_number<std::uint64_t>(text);
  if (!number || *number > std::numeric_limits<std::uint64_t>::max() >> shift) return std::nullopt;
  return *number << shift;
}

std::optional<std::uint64_t> parse_count(std::string_view text) {
  return parse_number<std::uint64_t>(text);
}

std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) {
  struct Unit {
    std::string_view name;
    std::int64_t milliseconds;
  };
  static constexpr std::array units{Unit{"d", 24 * 3600 * 1000}, Unit{"h", 3600 * 1000},
                                    Unit{"m", 60 * 1000}, Unit{"s", 1000}, Unit{"ms", 1}};
  constexpr std::int64_t most = std::int64_t{1} << 53;
  if (text.empty()) return std::nullopt;
  std::int64_t sum = 0;
  std::size_t larger = 0;  // units before this one have had their turn
  while (!text.empty()) {
    const auto digits = std::min(text.find_first_not_of("0123456789"), text.size());
    const auto number = parse_number<std::int64_t>(text.substr(0, digits));
    text.remove_prefix(digits);
    const auto name = text.substr(0, std::min(text.find_first_of("0123456789"), text.size()));
    text.remove_prefix(name.size());
    std::size_t unit = larger;
    while (unit < units.size() && units[unit].name != name) ++unit;
    if (!number || unit == units.size()) return std::nullopt;
    larger = unit + 1;
    if (*number > (most - sum) / units[unit].milliseconds) return std::nullopt;
    sum += *number * units[unit].milliseconds;
  }
  return std::chrono::milliseconds(sum);
}

std::optional<Endpoint> parse_endpoint(std::string_view text) {
  const auto colon = text.rfind(':');
  if (colon == std::string_view::npos) return std::nullopt;
  const auto port = parse_number<std::uint16_t>(text.substr(colon + 1));
  auto host = text.substr(0, colon);
  const bool bracketed = host.size() > 2 && host.front() == '[' && host.back() == ']';
  if (bracketed) host = host.substr(1, host.size() - 2);
  if (host == "localhost") host = "127.0.0.1";
  const auto address = Address::parse(host, 0);
  if (!port || !address || address->is_ipv6() != bracketed) return std::nullopt;
  return Endpoint{std::string(host), *port};
}

}  // namespace hotline::tools
