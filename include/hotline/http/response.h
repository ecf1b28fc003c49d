#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hotline/http/status.h>

namespace hotline::http {

/// What a handler answers: a status, header fields and a whole body.
///
/// Content-Length, Transfer-Encoding, Date and Connection are the session's; setting one of them is
/// reported as an error. Connection names `Upgrade` where there is a field of that name (RFC
/// 9110 7.8).
class Response {
 public:
  explicit Response(Status status) : status_(status) {}
  Response(Status status, std::string body,
           std::string_view content_type = "text/plain; charset=utf-8");

  /// Appends a field. Throws Error (bad_option) if the name is not a token or the value has a
  /// control byte.
  Response& add(std::string_view name, std::string_view value) &;
  Response&& add(std::string_view name, std::string_view value) && {
    return std::move(add(name, value));
  }

  /// The connection ends after this response.
  Response& close() & {
    close_ = true;
    return *this;
  }
  Response&& close() && { return std::move(close()); }

  /// The body's length where it does not come with this: of what is written to a ResponseStream
  /// (exactly so many bytes), or of what an answer to HEAD leaves out.
  Response& content_length(std::uint64_t bytes) & {
    content_length_ = bytes;
    return *this;
  }
  Response&& content_length(std::uint64_t bytes) && { return std::move(content_length(bytes)); }

  Status status() const noexcept { return status_; }
  const std::string& body() const noexcept { return body_; }
  const std::vector<std::pair<std::string, std::string>>& headers() const noexcept {
    return headers_;
  }
  bool closes() const noexcept { return close_; }
  const std::optional<std::uint64_t>& content_length() const noexcept { return content_length_; }

 private:
  Status status_;
  std::string body_;
  std::vector<std::pair<std::string, std::string>> headers_;
  std::optional<std::uint64_t> content_length_;
  bool close_ = false;
};

}  // namespace hotline::http
