#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace hotline::websocket {

/// The value of a Set-Cookie header, taken apart (RFC 6265 5.2): what it says, not what may be
/// believed of it.
struct SetCookie {
  std::string name;
  std::string value;
  std::optional<std::string> domain;  // lower-case, without a leading dot; not ""
  std::optional<std::string> path;    // begins with a slash
  std::optional<std::chrono::system_clock::time_point> expires;
  bool secure = false;
  bool http_only = false;

  /// Nothing if it is none.
  static std::optional<SetCookie> parse(std::string_view text,
                                        std::chrono::system_clock::time_point now);
};

/// The date of an Expires attribute, by the algorithm that browsers have (RFC 6265 5.1.1).
std::optional<std::chrono::system_clock::time_point> parse_cookie_date(std::string_view text);

/// Whether a cookie of that domain goes to the host (RFC 6265 5.1.3). Both lower-case.
bool domain_matches(std::string_view host, std::string_view domain);
/// Whether a cookie of that path goes to a request for the other (5.1.4).
bool path_matches(std::string_view request_path, std::string_view cookie_path);
/// The path of a cookie that names none (5.1.4).
std::string_view default_path(std::string_view request_path);

}  // namespace hotline::websocket
