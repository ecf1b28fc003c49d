#include "http/head_reader.h"

#include <algorithm>
#include <array>

#include "base/header_tokens.h"

namespace hotline::http {
namespace {

enum Class : std::uint8_t { in_token = 1, in_target = 2, in_value = 4 };

constexpr auto classes = [] {
  std::array<std::uint8_t, 256> table{};
  for (unsigned byte = 0; byte < 256; ++byte) {
    std::uint8_t set = 0;
    const bool letter_or_digit = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                                 (byte >= 'a' && byte <= 'z');
    if (letter_or_digit || (byte != 0 && std::string_view{"!#$%&'*+-.^_`|~"}.find(
                                             static_cast<char>(byte)) != std::string_view::npos)) {
      set |= in_token;
    }
    if (byte > 0x20 && byte < 0x7f && byte != '#') set |= in_target;
    if (byte == '\t' || (byte >= 0x20 && byte != 0x7f)) set |= in_value;
    table[byte] = set;
  }
  return table;
}();

bool is(unsigned char byte, Class wanted) noexcept { return (classes[byte] & wanted) != 0; }

constexpr std::string_view bare_lf = "a line feed without a carriage return";
constexpr std::string_view bare_cr = "a carriage return without a line feed";
constexpr std::string_view no_version = "the request line does not end in an HTTP version";

}  // namespace

HeadReader::Result HeadReader::refuse(Status status, std::string_view reason) noexcept {
  refusal_ = {status, reason};
  return Result::refused;
}

HeadReader::Result HeadReader::too_long() noexcept {
  if (part_ < Part::field_start) {
    return refuse(Status::uri_too_long, "the request line is too long");
  }
  return refuse(Status::request_header_fields_too_large, "the head of the request is too long");
}

HeadReader::Result HeadReader::feed(std::string_view bytes) noexcept {
  const auto room = limits_->bytes - size_;
  const auto* at = bytes.data();
  const auto* const end = at + std::min(bytes.size(), room);
  while (at != end) {
    // The long parts, many bytes at a time.
    const auto* const from = at;
    const auto run = part_ == Part::value    ? in_value
                     : part_ == Part::target ? in_target
                     : part_ == Part::name   ? in_token
                                             : Class{};
    while (at != end && is(static_cast<unsigned char>(*at), run)) ++at;
    size_ += static_cast<std::size_t>(at - from);
    if (at == end) break;
    ++size_;
    const auto result = step(static_cast<unsigned char>(*at++));
    if (result != Result::need_more) return result;
  }
  return bytes.size() > room ? too_long() : Result::need_more;
}

HeadReader::Result HeadReader::step(unsigned char byte) noexcept {
  switch (part_) {
    case Part::start:
      // One empty line before a request is ignored (RFC 9112 2.2).
      if (byte == '\r') {
        part_ = Part::empty_line;
        return Result::need_more;
      }
      [[fallthrough]];
    case Part::method_start:
      if (!is(byte, in_token)) return refuse("this is no HTTP request");
      part_ = Part::method;
      return Result::need_more;
    case Part::empty_line:
      part_ = Part::method_start;
      return byte == '\n' ? Result::need_more : refuse(bare_cr);
    case Part::method:
      if (byte == ' ') {
        part_ = Part::target_start;
      } else if (!is(byte, in_token)) {
        return refuse("the method is not a token");
      }
      return Result::need_more;
    case Part::target_start:
      if (!is(byte, in_target)) return refuse("the request has no target");
      part_ = Part::target;
      return Result::need_more;
    case Part::target:
      if (byte == '#') return refuse("the target has a fragment");
      if (byte == '\r') return refuse("HTTP/0.9 is not spoken here");
      if (byte == '\n') return refuse(bare_lf);
      if (byte != ' ') return refuse("the target has a byte that must be percent-encoded");
      part_ = Part::version;
      return Result::need_more;
    case Part::version: return version_byte(byte);
    case Part::request_line_end:
      if (byte == '\n') return refuse(bare_lf);
      if (byte != '\r') return refuse(no_version);
      part_ = Part::request_line_lf;
      return Result::need_more;
    case Part::request_line_lf:
      part_ = Part::field_start;
      return byte == '\n' ? Result::need_more : refuse(bare_cr);
    case Part::end_lf: return byte == '\n' ? Result::complete : refuse(bare_cr);
    default: return field_byte(byte);
  }
}

HeadReader::Result HeadReader::version_byte(unsigned char byte) noexcept {
  // "HTTP/" DIGIT "." DIGIT, in capitals (RFC 9112 2.3)
  static constexpr std::string_view form = "HTTP/0.0";
  const auto wanted = form[version_at_++];
  const bool digit = byte >= '0' && byte <= '9';
  if (wanted != '0') {
    return byte == static_cast<unsigned char>(wanted) ? Result::need_more : refuse(no_version);
  }
  if (!digit) return refuse(no_version);
  if (version_at_ < form.size()) {
    http1_ = byte == '1';
    return Result::need_more;
  }
  if (!http1_ || byte > '1') {
    return refuse(Status::http_version_not_supported, "this server speaks HTTP/1.1 and HTTP/1.0");
  }
  part_ = Part::request_line_end;
  return Result::need_more;
}

HeadReader::Result HeadReader::field_byte(unsigned char byte) noexcept {
  switch (part_) {
    case Part::field_start:
      if (byte == '\r') {
        part_ = Part::end_lf;
        return Result::need_more;
      }
      if (byte == '\n') return refuse(bare_lf);
      if (byte == ' ' || byte == '\t') return refuse("a header line begins with a blank");
      if (!is(byte, in_token)) return refuse("the name of a header field is not a token");
      if (++fields_ > limits_->fields) {
        return refuse(Status::request_header_fields_too_large,
                      "the request has too many header fields");
      }
      part_ = Part::name;
      return Result::need_more;
    case Part::name:
      if (byte == ':') {
        part_ = Part::value;
        return Result::need_more;
      }
      if (byte == ' ' || byte == '\t') return refuse("a blank before the colon of a header field");
      return refuse("the name of a header field is not a token");
    case Part::value:
      if (byte == '\r') {
        part_ = Part::value_lf;
        return Result::need_more;
      }
      return refuse(byte == '\n' ? bare_lf : "a control byte in a header field");
    default:  // value_lf
      part_ = Part::field_start;
      return byte == '\n' ? Result::need_more : refuse(bare_cr);
  }
}

}  // namespace hotline::http
