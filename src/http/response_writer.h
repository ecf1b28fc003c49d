#pragma once

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

/// Appends a response's head. The option goes into Connection, beside `Upgrade` where the response
/// has that field.
void append_head(std::string& text, const Response& response, std::string_view date,
                 ConnectionOption option);

/// Whether a response of this status has a body (RFC 9110 6.4.1).
bool has_body(Status status) noexcept;

}  // namespace hotline::http
