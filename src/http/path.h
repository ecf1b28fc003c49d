#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// Paths of requests: cleaned, cut into segments, and percent-decoded (RFC 3986 2.1, 3.3, 5.2.4).
namespace hotline::http {

/// Appends the text with its percent-encoded bytes decoded. A percent sign that begins no encoded
/// byte stays as it is.
void append_decoded(std::string& text, std::string_view encoded);
inline std::string decoded(std::string_view encoded) {
  std::string text;
  append_decoded(text, encoded);
  return text;
}

/// Whether the path begins with "/" and has no empty segment, but for the last, and none that is
/// "." or "..", however these dots are written ("%2e"): browsers take them for dots, too.
bool is_clean(std::string_view path) noexcept;

/// The clean path that means the same: empty segments and "." go, ".." goes with the one before it,
/// a slash at the end stays. What is in the segments is not touched.
std::string cleaned(std::string_view path);

/// The path as it may stand in Location: bytes that RFC 3986 does not allow in a path are encoded,
/// the backslash above all, which browsers read as a slash.
std::string encoded_for_location(std::string_view path);

/// A path cut at its slashes, its segments decoded one by one: "%2F" stays inside a segment.
class SplitPath {
 public:
  struct Segment {
    std::string_view sent;  // still encoded
    std::string_view text;
  };

  /// `path` outlives this; only `most` segments are looked at. No allocation in the steady state.
  void assign(std::string_view path, std::size_t most);

  std::size_t size() const noexcept { return segments_.size(); }
  const Segment& operator[](std::size_t index) const noexcept { return segments_[index]; }
  /// Whether a slash stands at the end, or would (see append_slash).
  bool ends_in_slash() const noexcept { return ends_in_slash_; }
  void append_slash(bool slash) noexcept { ends_in_slash_ = slash; }
  /// From that segment to the end, as sent; "" behind the last.
  std::string_view from(std::size_t index) const noexcept;

 private:
  std::string_view path_;
  std::vector<Segment> segments_;
  std::string decoded_;
  bool ends_in_slash_ = false;
};

}  // namespace hotline::http
