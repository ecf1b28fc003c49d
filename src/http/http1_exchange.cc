#include "http/http1_exchange.h"

#include <hotline/base/error.h>

#include "http/handler_run.h"
#include "http/http1_session.h"
#include "http/path.h"
#include "http/worker.h"
#include "net/output.h"

namespace hotline::http {

bool Http1Exchange::Fence::wait(Output& output, Waiter& waiter) noexcept {
  output_ = &output;
  waiter_ = &waiter;
  return output.wait_if_high(*this);
}

void Http1Exchange::Fence::withdraw() noexcept {
  if (queued()) output_->abandon(*this);  // an output tells all that is queued before it goes
}

void Http1Exchange::Fence::sent() noexcept { waiter_->ready(); }

std::optional<Refusal> Http1Exchange::parse(std::string_view first, std::string_view second,
                                            std::size_t fields) {
  head_.reserve(first.size() + second.size());
  head_.append(first).append(second);
  return RequestBuilder::build(head_, fields, request_, traits_);
}

void Http1Exchange::set_parameters(const RouteMatch& match) {
  RequestBuilder::set_route(request_, match.pattern, match.rest);
  if (match.parameters.empty()) return;
  decoded_.reserve(head_.size());  // no longer than what is decoded: the views stay valid
  for (const auto& [name, value] : match.parameters) {
    if (value.find('%') == std::string_view::npos) {
      RequestBuilder::add_parameter(request_, name, value);
      continue;
    }
    const auto begin = decoded_.size();
    append_decoded(decoded_, value);
    RequestBuilder::add_parameter(request_, name, std::string_view{decoded_}.substr(begin));
  }
}

Http1Exchange::~Http1Exchange() {
  if (run_) run_->exchange_released();
}

void Http1Exchange::drop() noexcept {
  if (--handles_ == 0) delete this;
}

void Http1Exchange::run_by(HandlerRun* run) noexcept {
  run_ = run;
  if (run && session_) run->serve(*session_);
}

void Http1Exchange::client_gone() noexcept {
  session_ = nullptr;
  const detail::CoreHandle here{*this};
  delete run_;  // and with its task, as a rule, the Exchange
  wake_body_reader();
}

void Http1Exchange::session_gone() noexcept {
  session_ = nullptr;
  wake_body_reader();
}

void Http1Exchange::wake_body_reader() noexcept {
  if (auto* reader = std::exchange(body_reader_, nullptr)) reader->ready();
}

Loop& Http1Exchange::loop() noexcept { return worker_.loop(); }

bool Http1Exchange::draining() const noexcept { return worker_.loop().draining(); }

std::chrono::seconds Http1Exchange::retry_after() const noexcept {
  return worker_.options().retry_after;
}

void Http1Exchange::add_header(std::string_view name, std::string_view value) {
  if (answered_) throw Error(Fault::already_answered);
  if (!more_) more_.emplace(Status::ok);
  more_->add(name, value);
}

bool Http1Exchange::respond(const Response& response, Waiter* waiter,
                            std::string_view reason) noexcept {
  answered_ = true;
  auto* session = std::exchange(session_, nullptr);
  if (!session) return false;
  const detail::CoreHandle here{*this};
  session->answer(response, reason);
  if (waiter) fence_.wait(session->output(), *waiter);
  session->answered();
  wake_body_reader();
  return fence_.queued();
}

void Http1Exchange::refuse(const Refusal& refusal) noexcept {
  answered_ = true;
  auto* session = std::exchange(session_, nullptr);
  session->refuse(refusal);
  session->answered();
}

detail::BodyPiece Http1Exchange::read_body(std::uint64_t limit, Waiter& waiter) noexcept {
  using Kind = detail::BodyPiece::Kind;
  if (body_reader_) return {Kind::failed, {}, Fault::concurrent_read, "the request's body"};
  if (session_) {
    const auto piece = session_->read_body(limit);
    if (piece.kind == Kind::waiting) body_reader_ = &waiter;
    return piece;
  }
  if (answered_ && (!streamed_to_ || finished_)) {
    return {Kind::failed, {}, Fault::already_answered, "the request's body is gone"};
  }
  return {Kind::failed, {}, Fault::connection_ended, "reading the request's body"};
}

void Http1Exchange::cancel_body_wait(Waiter& waiter) noexcept {
  if (body_reader_ != &waiter) return;
  body_reader_ = nullptr;
  if (session_) session_->stop_reading_body();
}

std::uint64_t Http1Exchange::body_limit() const noexcept { return worker_.options().body_limit; }

void Http1Exchange::start(const Response& response) {
  answered_ = true;
  if (!session_) return;  // the first write says so
  streamed_to_ = &session_->output();
  session_->start(response);
}

Http1Session& Http1Exchange::session_for_stream() {
  if (finished_) throw Error(Fault::already_answered, "the answer has ended");
  // The session hears of a failure from the loop, to which a handler that is never made to wait
  // does not return.
  if (!session_ || session_->output().failed()) {
    throw detail::ClientFault(Fault::connection_ended, "writing the answer");
  }
  return *session_;
}

void Http1Exchange::write_body(std::string_view bytes, hotline::detail::Segment& segment) {
  if (session_for_stream().write_body(bytes, segment)) return;
  throw Error(Fault::wrong_length, "more is written than the answer's head allows");
}

void Http1Exchange::abandon(hotline::detail::Segment& segment) noexcept {
  streamed_to_->abandon(segment);  // an output tells all that is queued before it goes
}

bool Http1Exchange::finish(Waiter& waiter) {
  auto& session = session_for_stream();
  finished_ = true;
  session_ = nullptr;
  const detail::CoreHandle here{*this};
  if (!session.finish()) {
    wake_body_reader();
    throw Error(Fault::wrong_length, "less was written than the answer's head announced");
  }
  fence_.wait(session.output(), waiter);
  session.answered();
  wake_body_reader();
  return fence_.queued();
}

void Http1Exchange::cut() noexcept {
  finished_ = true;
  const detail::CoreHandle here{*this};
  if (auto* session = std::exchange(session_, nullptr)) session->cut();
  wake_body_reader();
}

void Http1Exchange::cancel_wait(Waiter&) noexcept { fence_.withdraw(); }

detail::TakenOver Http1Exchange::take_over(std::string_view head) {
  if (answered_) throw Error(Fault::already_answered);
  if (!session_) throw Error(Fault::cannot_hijack, "the connection has ended");
  if (session_->has_unread_body()) {
    throw Error(Fault::cannot_hijack, "the request has a body, which was not read");
  }
  answered_ = true;
  return std::exchange(session_, nullptr)->take_over(head);
}

void Http1Exchange::observe_handler(detail::HandlerObserver* observer) noexcept {
  if (run_) run_->observe(observer);
}

void Http1Exchange::release() noexcept {
  if (!answered_ && session_) {
    if (const auto* failure = session_->body_failure()) {
      refuse(failure->refusal);
    } else {
      respond(Response{Status::internal_server_error, "500 Internal Server Error\n"}, nullptr, {});
    }
  }
  drop();
}

}  // namespace hotline::http
