#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace hotline::http {

/// What a route is for: "[METHOD ][HOST]/path". Server::handle has the rules.
struct Pattern {
  enum class Kind : std::uint8_t {
    literal,
    single,  // {name}: one segment
    rest,    // {name...}, or nameless, a slash at the end: whatever is below
    end,     // {$}: the slash before it is the last thing
  };
  struct Segment {
    Kind kind = Kind::literal;
    std::string text;  // decoded; of a wildcard: its name
  };

  std::string text;    // as given
  std::string method;  // "": all
  std::string host;    // without brackets; "": all
  std::vector<Segment> segments;

  bool has_rest() const noexcept { return segments.back().kind == Kind::rest; }
};

/// Throws Error (bad_option) that says what is wrong, and at which byte.
Pattern parse_pattern(std::string_view text);

/// "": one of both is more specific than the other, or no request matches both. Else a sentence.
std::string find_conflict(const Pattern& a, const Pattern& b);

}  // namespace hotline::http
