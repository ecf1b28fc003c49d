#include <hotline/http/response.h>

#include <hotline/base/error.h>

#include "base/header_tokens.h"

namespace hotline::http {
namespace {

constexpr std::string_view of_the_session[] = {"Connection", "Content-Length", "Date",
                                               "Transfer-Encoding"};

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
  if (!is_field_value(value)) {
    throw Error(Fault::bad_option,
                "the value of " + std::string(name) + " has a control byte: " + escaped(value));
  }
  headers_.emplace_back(name, trimmed(value));
  return *this;
}

}  // namespace hotline::http
