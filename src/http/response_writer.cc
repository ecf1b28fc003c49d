#include "http/response_writer.h"

#include <algorithm>
#include <charconv>

#include <hotline/http/exchange.h>

#include "base/header_tokens.h"

namespace hotline::http {
namespace {

void append_number(std::string& text, std::size_t number) {
  char digits[20];
  const auto end = std::to_chars(digits, digits + sizeof digits, number).ptr;
  text.append(digits, end);
}

void append_status_line(std::string& text, Status status) {
  text += "HTTP/1.1 ";
  append_number(text, static_cast<std::size_t>(status));
  text += ' ';
  text += reason_phrase(status);
  text += "\r\n";
}

void append_fields(std::string& text, const Response& response) {
  for (const auto& [name, value] : response.headers()) {
    text += name;
    text += ": ";
    text += value;
    text += "\r\n";
  }
}

bool has_upgrade(const Response& response) noexcept {
  return std::any_of(response.headers().begin(), response.headers().end(), [](const auto& field) {
    return equals_ignoring_case(field.first, "Upgrade");
  });
}

void append_connection(std::string& text, bool upgrade, ConnectionOption option) {
  if (!upgrade && option == ConnectionOption::none) return;
  text += "Connection: ";
  if (upgrade) text += "Upgrade";
  if (upgrade && option != ConnectionOption::none) text += ", ";
  if (option == ConnectionOption::close) text += "close";
  if (option == ConnectionOption::keep_alive) text += "keep-alive";
  text += "\r\n";
}

}  // namespace

std::string_view DateCache::now() noexcept {
  const auto now = std::time(nullptr);
  if (now != second_) {
    second_ = now;
    std::tm parts{};
    ::gmtime_r(&now, &parts);
    // Not strftime's names, which follow the program's locale.
    static constexpr char days[] = "SunMonTueWedThuFriSat";
    static constexpr char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
    const auto two = [](char* at, int number) {
      at[0] = static_cast<char>('0' + number / 10 % 10);
      at[1] = static_cast<char>('0' + number % 10);
    };
    std::copy_n("Ddd, 00 Mmm 0000 00:00:00 GMT", 30, text_);
    std::copy_n(days + 3 * parts.tm_wday, 3, text_);
    two(text_ + 5, parts.tm_mday);
    std::copy_n(months + 3 * parts.tm_mon, 3, text_ + 8);
    two(text_ + 12, (parts.tm_year + 1900) / 100);
    two(text_ + 14, parts.tm_year % 100);
    two(text_ + 17, parts.tm_hour);
    two(text_ + 20, parts.tm_min);
    two(text_ + 23, parts.tm_sec);
  }
  return {text_, 29};
}

bool has_body(Status status) noexcept {
  return status != Status::no_content && status != Status::not_modified;
}

void append_head(std::string& text, const Response& response, std::string_view date,
                 ConnectionOption option, ResponseFraming framing, const Response* more) {
  append_status_line(text, response.status());
  text += "Date: ";
  text += date;
  text += "\r\n";
  append_connection(text, has_upgrade(response), option);
  append_fields(text, response);
  if (more) append_fields(text, *more);
  if (has_body(response.status())) {
    if (framing == ResponseFraming::length) {
      text += "Content-Length: ";
      append_number(text, response.content_length().value_or(response.body().size()));
      text += "\r\n";
    } else if (framing == ResponseFraming::chunked) {
      text += "Transfer-Encoding: chunked\r\n";
    }
  }
  text += "\r\n";
}

std::string with_fields(std::string_view head, const Response& more) {
  std::string text{head.substr(0, head.size() - 2)};
  append_fields(text, more);
  return text += "\r\n";
}

ChunkHead::ChunkHead(std::size_t size) noexcept {
  auto* end = std::to_chars(text_, text_ + sizeof text_, size, 16).ptr;
  *end++ = '\r';
  *end++ = '\n';
  size_ = static_cast<std::size_t>(end - text_);
}

std::string switching_head(const Response& headers) {
  std::string text;
  append_status_line(text, Status::switching_protocols);
  text += "Connection: Upgrade\r\n";
  append_fields(text, headers);
  text += "\r\n";
  return text;
}

}  // namespace hotline::http
