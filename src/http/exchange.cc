#include <hotline/http/exchange.h>

#include <hotline/base/error.h>

namespace hotline::http {

namespace {

void check_answer(const detail::ExchangeCore& core, const Response& response) {
  if (core.answered()) throw Error(Fault::already_answered);
  const auto status = static_cast<int>(response.status());
  if (status < 200 || status > 599) {
    throw Error(Fault::bad_option, std::to_string(status) + " is not the status of an answer");
  }
}

}  // namespace

Answering Exchange::respond(Status status, std::string_view body) & {
  return respond(Response{status, std::string(body)});
}

Answering Exchange::respond(const Response& response) & {
  check_answer(*core_, response);
  const auto& length = response.content_length();
  if (length && *length != response.body().size() && request().method() != "HEAD") {
    throw Error(Fault::bad_option, "content_length() is not the length of the body");
  }
  return {*core_, [&](Waiter& waiter) { return core_->respond(response, &waiter); }};
}

ResponseStream Exchange::start(const Response& response) & {
  check_answer(*core_, response);
  if (!response.body().empty()) {
    throw Error(Fault::bad_option, "the response has a body: write it to the stream");
  }
  core_->start(response);
  return ResponseStream{*core_};
}

namespace {

Task<std::string> read_all(BodyStream body) {
  std::string whole;
  while (auto piece = co_await body.read()) whole.append(*piece);
  co_return whole;
}

}  // namespace

Task<std::string> Exchange::body(std::uint64_t limit) & { return read_all(body_stream(limit)); }

std::optional<std::string_view> BodyStream::Read::await_resume() const {
  if (piece_.kind == Kind::failed) {
    const std::string reason{piece_.reason};
    if (make_error_code(piece_.fault) == Condition::misuse) throw Error(piece_.fault, reason);
    throw detail::ClientFault(piece_.fault, reason);
  }
  if (piece_.kind == Kind::piece) return piece_.bytes;
  return std::nullopt;
}

void BodyStream::Read::ready() noexcept {
  piece_ = core_.read_body(limit_, *this);
  if (piece_.kind != Kind::waiting) resumption_.resume();
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
