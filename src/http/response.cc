#include <hotline/http/response.h>

#include <algorithm>

#include <hotline/base/error.h>

#include "base/header_tokens.h"

namespace hotline::http {
namespace {

constexpr std::string_view of_the_session[] = {"Connection", "Content-Length", "Date",
                                               "Transfer-Encoding"};

// What may stand in a field's value (RFC 9110 5.5); CR and LF would begin a field of their own.
bool is_value(std::string_view value) noexcept {
  return std::all_of(value.begin(), value.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return (byte >= 0x20 && byte != 0x7f) || byte == '\t';
  });
}

}  // namespace

Response::Response(Status status, std::string body, std::string_view content_type)
    : status_(status), body_(std::move(body)) {
  add("Content-Type", content_type);
}

Response& Response::add(std::string_view name, std::string_view value) & {
  if (!is_token(name)) {
    throw Error(Fault::bad_option, "\"" + escaped(name) + "\" is not the name of a header field");
  }
  for (const auto reserved : of_the_session) {
    if (equals_ignoring_case(name, reserved)) {
      throw Error(Fault::bad_option, std::string(reserved) + " is set by the session");
    }
  }
  if (!is_value(value)) {
    throw Error(Fault::bad_option,
                "the value of " + std::string(name) + " has a control byte: " + escaped(value));
  }
  headers_.emplace_back(name, trimmed(value));
  return *this;
}

}  // namespace hotline::http
