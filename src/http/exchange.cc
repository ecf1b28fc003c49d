#include <hotline/http/exchange.h>

#include <hotline/base/error.h>

namespace hotline::http {
namespace {

ByteStream byte_stream(detail::ExchangeCore& core, std::string_view head) {
  auto taken = core.take_over(head);
  return {core.loop(), std::move(taken.stream), std::move(taken.received), std::move(taken.unsent)};
}

}  // namespace

Exchange::Responding::Responding(detail::ExchangeCore& core, const Response& response)
    : core_(core) {
  if (core.answered()) throw Error(Fault::already_answered);
  const auto status = static_cast<int>(response.status());
  if (status < 200 || status > 599) {
    throw Error(Fault::bad_option, std::to_string(status) + " is not the status of an answer");
  }
  waiting_ = core.respond(response, this);
}

Exchange::Responding Exchange::respond(Status status, std::string_view body) & {
  return Responding{*core_, Response{status, std::string(body)}};
}

Exchange::Responding Exchange::respond(const Response& response) & {
  return Responding{*core_, response};
}

ByteStream Exchange::hijack() { return byte_stream(*core_, {}); }

ByteStream Exchange::switch_protocols(const Response& headers) {
  return byte_stream(*core_, switching_head(headers));
}

}  // namespace hotline::http
