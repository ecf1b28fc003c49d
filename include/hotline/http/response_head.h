#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hotline::http {

/// What a server answered, up to its body: a value, to be copied and kept. All of it was written by
/// the peer: escape it in a log.
struct ResponseHead {
  int status = 0;
  /// What stands behind the status ("Not Found"), or "".
  std::string reason = {};
  /// In their order, the names in the server's spelling.
  std::vector<std::pair<std::string, std::string>> headers = {};

  /// The first field of that name, compared without case, or "".
  std::string_view header(std::string_view name) const noexcept;
  /// How many fields have that name.
  std::size_t header_count(std::string_view name) const noexcept;
  /// Whether `token` is an element of the comma-separated lists in all fields of that name (RFC
  /// 9110 5.6.1), compared without case.
  bool header_has_token(std::string_view name, std::string_view token) const noexcept;
};

}  // namespace hotline::http
