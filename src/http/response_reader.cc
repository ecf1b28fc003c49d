#include "http/response_reader.h"

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/header_tokens.h"

namespace hotline::http {
namespace {

constexpr std::string_view version_form = "HTTP/1.";

bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

BodyFraming framing_of(const ResponseHead& head) {
  if (head.status < 200 || head.status == 204 || head.status == 304) return {};
  if (head.header_count("Transfer-Encoding") > 0) {
    if (head.header_has_token("Transfer-Encoding", "chunked")) return {.chunked = true};
  } else if (head.header_count("Content-Length") == 1) {
    const auto text = head.header("Content-Length");
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    if (error == std::errc{} && end == text.data() + text.size()) return {.length = length};
  }
  return {.length = std::numeric_limits<std::uint64_t>::max()};  // up to the stream's end
}

}  // namespace

std::string_view ResponseHead::header(std::string_view name) const noexcept {
  for (const auto& [key, value] : headers) {
    if (equals_ignoring_case(key, name)) return value;
  }
  return {};
}

std::size_t ResponseHead::header_count(std::string_view name) const noexcept {
  return static_cast<std::size_t>(
      std::count_if(headers.begin(), headers.end(),
                    [&](const auto& field) { return equals_ignoring_case(field.first, name); }));
}

bool ResponseHead::header_has_token(std::string_view name, std::string_view token) const noexcept {
  return std::any_of(headers.begin(), headers.end(), [&](const auto& field) {
    return equals_ignoring_case(field.first, name) && list_contains(field.second, token);
  });
}

ResponseReader::ResponseReader(const HeadLimits& limits) noexcept
    : limits_(limits), fields_(HeadReader::of_trailers(limits_)) {}

ResponseReader::Result ResponseReader::refuse(std::string reason) {
  refusal_ = std::move(reason);
  return Result::refused;
}

ResponseReader::Result ResponseReader::feed(std::string_view& bytes) {
  while (status_line_ == 0) {
    if (bytes.empty()) return Result::need_more;
    const auto byte = bytes.front();
    if (!status_byte(byte)) return Result::refused;
    bytes_ += byte;
    bytes.remove_prefix(1);
    if (byte == '\n') {
      status_line_ = bytes_.size();
      limits_.bytes -= std::min(limits_.bytes, status_line_);
    }
  }
  if (bytes.empty()) return Result::need_more;
  const auto before = fields_.size();
  const auto result = fields_.feed(bytes);
  const auto taken = fields_.size() - before;
  bytes_.append(bytes.substr(0, taken));
  bytes.remove_prefix(taken);
  switch (result) {
    case HeadReader::Result::need_more: return Result::need_more;
    case HeadReader::Result::complete: return Result::complete;
    case HeadReader::Result::refused: break;
  }
  if (fields_.refusal().status != Status::request_header_fields_too_large) {
    return refuse(std::string(fields_.refusal().reason));
  }
  if (fields_.field_count() > limits_.fields) {
    return refuse("it has more than " + std::to_string(limits_.fields) + " header fields");
  }
  return refuse("its head is longer than " + std::to_string(limits_.bytes + status_line_) +
                " bytes");
}

// "HTTP/1.1 101 Switching Protocols\r\n"
bool ResponseReader::status_byte(char byte) {
  const auto at = bytes_.size();
  const auto fail = [this](const char* reason) {
    refuse(reason);
    return false;
  };
  if (at < version_form.size()) {
    if (at == 0 && (byte == '\x15' || byte == '\x16')) {
      return fail("this is TLS: the URL begins with wss:// perhaps");
    }
    return byte == version_form[at] || fail("this is no HTTP/1.1");
  }
  if (at == 7) {
    version_ = byte == '0' ? 10 : 11;
    return is_digit(byte) || fail("this is no HTTP/1.1");
  }
  constexpr auto bad_status = "its status is no number of three digits";
  if (at == 8) return byte == ' ' || fail(bad_status);
  if (at == 9) return (byte >= '1' && byte <= '5') || fail(bad_status);
  if (at < 12) return is_digit(byte) || fail(bad_status);
  if (at >= limits_.bytes) return fail("its status line is too long");
  if (bytes_.back() == '\r') return byte == '\n' || fail("a carriage return without a line feed");
  if (byte == '\n') return fail("a line feed without a carriage return");
  if (byte == '\r') return true;
  if (at == 12) return byte == ' ' || fail(bad_status);
  const auto value = static_cast<unsigned char>(byte);
  return byte == '\t' || (value >= 0x20 && value != 0x7f) ||
         fail("a control byte in the status line");
}

ResponseHead ResponseReader::head() const {
  ResponseHead head;
  std::string_view rest{bytes_};
  const auto status_line = rest.substr(0, status_line_ - 2);
  for (const auto digit : status_line.substr(9, 3)) head.status = head.status * 10 + (digit - '0');
  if (status_line.size() > 13) head.reason = trimmed(status_line.substr(13));
  rest.remove_prefix(status_line_);
  while (!rest.starts_with("\r\n")) {
    const auto line = rest.substr(0, rest.find("\r\n"));
    rest.remove_prefix(line.size() + 2);
    const auto colon = line.find(':');
    head.headers.emplace_back(line.substr(0, colon), trimmed(line.substr(colon + 1)));
  }
  return head;
}

ResponseBody::ResponseBody(const ResponseHead& head, std::size_t most)
    : decoder_(limits_, framing_of(head)), most_(most), done_(decoder_.complete()) {}

void ResponseBody::feed(std::string_view bytes) {
  while (!done_) {
    const auto step = decoder_.next(bytes);
    bytes.remove_prefix(step.taken);
    text_.append(step.piece.substr(0, most_ - text_.size()));
    done_ = text_.size() == most_ || decoder_.complete() || decoder_.refused();
    if (step.result == BodyDecoder::Result::need_more) break;
  }
}

}  // namespace hotline::http
