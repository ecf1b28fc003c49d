#include "http/path.h"

namespace hotline::http {
namespace {

int hex_value(char c) noexcept {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// How many dots the segment consists of, each written as "." or "%2e"; 0 if of anything else.
int dots(std::string_view segment) noexcept {
  int count = 0;
  while (!segment.empty()) {
    if (segment.front() == '.') {
      segment.remove_prefix(1);
    } else if (segment.starts_with("%2e") || segment.starts_with("%2E")) {
      segment.remove_prefix(3);
    } else {
      return 0;
    }
    ++count;
  }
  return count;
}

bool is_dot_segment(std::string_view segment) noexcept {
  if (segment.empty() || (segment.front() != '.' && segment.front() != '%')) return false;
  const auto count = dots(segment);
  return count == 1 || count == 2;
}

}  // namespace

void append_decoded(std::string& text, std::string_view encoded) {
  for (std::size_t i = 0; i < encoded.size(); ++i) {
    if (encoded[i] == '%' && i + 2 < encoded.size()) {
      const auto high = hex_value(encoded[i + 1]);
      const auto low = hex_value(encoded[i + 2]);
      if (high >= 0 && low >= 0) {
        text += static_cast<char>(high * 16 + low);
        i += 2;
        continue;
      }
    }
    text += encoded[i];
  }
}

bool is_clean(std::string_view path) noexcept {
  if (!path.starts_with('/')) return false;
  for (;;) {
    path.remove_prefix(1);
    const auto slash = path.find('/');
    if (is_dot_segment(path.substr(0, slash))) return false;
    if (slash == std::string_view::npos) return true;
    if (slash == 0) return false;
    path.remove_prefix(slash);
  }
}

std::string cleaned(std::string_view path) {
  std::string result;
  bool slash_at_end = true;
  while (!path.empty()) {
    if (path.front() == '/') path.remove_prefix(1);
    const auto segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    const auto count = is_dot_segment(segment) ? dots(segment) : 0;
    slash_at_end = segment.empty();
    if (segment.empty() || count == 1) continue;
    if (count == 2) {
      result.erase(result.empty() ? 0 : result.rfind('/'));
    } else {
      result.append("/").append(segment);
    }
  }
  if (slash_at_end || result.empty()) result += '/';
  return result;
}

std::string encoded_for_location(std::string_view path) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string result;
  for (const auto c : path) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= 0x20 || byte >= 0x7f ||
        std::string_view{"\"<>\\^`{|}?#"}.find(c) != std::string_view::npos) {
      result.append({'%', digits[byte >> 4], digits[byte & 15]});
    } else {
      result += c;
    }
  }
  return result;
}

void SplitPath::assign(std::string_view path, std::size_t most) {
  path_ = path;
  segments_.clear();
  decoded_.clear();
  ends_in_slash_ = false;
  if (path.find('%') != std::string_view::npos) decoded_.reserve(path.size());  // views stay valid
  while (path.starts_with('/') && segments_.size() < most) {
    path.remove_prefix(1);
    if (path.empty()) {
      ends_in_slash_ = true;
      return;
    }
    const auto sent = path.substr(0, path.find('/'));
    path.remove_prefix(sent.size());
    auto text = sent;
    if (sent.find('%') != std::string_view::npos) {
      const auto begin = decoded_.size();
      append_decoded(decoded_, sent);
      text = std::string_view{decoded_}.substr(begin);
    }
    segments_.push_back({sent, text});
  }
}

std::string_view SplitPath::from(std::size_t index) const noexcept {
  if (index >= segments_.size()) return {};
  return path_.substr(static_cast<std::size_t>(segments_[index].sent.data() - path_.data()));
}

}  // namespace hotline::http
