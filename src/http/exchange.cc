#include <hotline/http/exchange.h>

#include <hotline/base/error.h>

namespace hotline::http {

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

Exchange::Hijacking Exchange::hijack() & { return Hijacking{*core_, {}}; }

Exchange::Hijacking Exchange::switch_protocols(const Response& headers) & {
  return Hijacking{*core_, switching_head(headers)};
}

ByteStream Exchange::Hijacking::await_resume() {
  auto taken = core_.take_over(head_);
  return {core_.loop(), std::move(taken.stream), std::move(taken.received),
          std::move(taken.unsent)};
}

}  // namespace hotline::http
