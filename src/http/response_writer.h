#pragma once

#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include <hotline/http/response.h>

namespace hotline::http {

/// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7), made once a second. For one loop's thread.
class DateCache {
 public:
  std::string_view now() noexcept;

 private:
  std::time_t second_ = -1;
  char text_[30] = {};
};

enum class ConnectionOption { none, close, keep_alive };

/// How the end of a response's body is known.
enum class ResponseFraming : std::uint8_t { none, length, chunked, until_close };

/// Appends a response's head. The option goes into Connection, beside `Upgrade` where the response
/// has that field. `more`: has further fields, or is null. Content-Length is the announced one, or
/// the body's.
void append_head(std::string& text, const Response& response, std::string_view date,
                 ConnectionOption option, ResponseFraming framing = ResponseFraming::length,
                 const Response* more = nullptr);

/// `head` with the fields of `more` behind its own.
std::string with_fields(std::string_view head, const Response& more);

/// What stands before a chunk of so many bytes.
class ChunkHead {
 public:
  explicit ChunkHead(std::size_t size) noexcept;
  std::string_view text() const noexcept { return {text_, size_}; }

 private:
  char text_[2 * sizeof(std::size_t) + 2];
  std::size_t size_;
};
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

/// Whether a response of this status has a body (RFC 9110 6.4.1).
bool has_body(Status status) noexcept;

}  // namespace hotline::http
