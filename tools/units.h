#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hotline/net/address.h>

namespace hotline::tools {

/// "4096", "64k", "16M", "1G" (powers of 1024, either case); nothing if it is not one.
std::optional<std::uint64_t> parse_size(std::string_view text);

/// "250ms", "30s", "1m30s", "2h", "1d" (a day): whole numbers, each with its unit, the larger ones
/// first; nothing if it is not one. "0s" is a duration, "30" is not.
std::optional<std::chrono::milliseconds> parse_duration(std::string_view text);

/// A decimal number, digits only.
std::optional<std::uint64_t> parse_count(std::string_view text);

/// HOST:PORT, where HOST is an IP literal (IPv6 in brackets) or "localhost".
struct Endpoint {
  std::string host;
  std::uint16_t port = 0;
};
std::optional<Endpoint> parse_endpoint(std::string_view text);

}  // namespace hotline::tools
