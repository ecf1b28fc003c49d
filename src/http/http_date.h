#pragma once

#include <ctime>
#include <optional>
#include <string>
#include <string_view>

namespace hotline::http {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7).
std::string format_http_date(std::time_t time);

/// One of the three forms that a recipient must understand; nullopt: it is none.
std::optional<std::time_t> parse_http_date(std::string_view text);

}  // namespace hotline::http
