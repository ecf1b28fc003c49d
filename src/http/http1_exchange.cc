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

void Http1Exchange::client_gone() noexcept {
  session_ = nullptr;
  delete run_;  // and with its task, as a rule, the Exchange and this
}

Loop& Http1Exchange::loop() noexcept { return worker_.loop(); }

bool Http1Exchange::draining() const noexcept { return worker_.loop().draining(); }

bool Http1Exchange::respond(const Response& response, Waiter* waiter) noexcept {
  answered_ = true;
  auto* session = std::exchange(session_, nullptr);
  if (!session) return false;
  session->answer(response);
  if (waiter) fence_.wait(session->output(), *waiter);
  session->answered();
  return fence_.queued();
}

void Http1Exchange::cancel_wait(Waiter&) noexcept { fence_.withdraw(); }

detail::TakenOver Http1Exchange::take_over(std::string_view head) {
  if (answered_) throw Error(Fault::already_answered);
  if (!session_) throw Error(Fault::cannot_hijack, "the connection has ended");
  answered_ = true;
  return std::exchange(session_, nullptr)->take_over(head, run_);
}

void Http1Exchange::observe_handler(detail::HandlerObserver* observer) noexcept {
  if (run_) run_->observe(observer);
}

void Http1Exchange::release() noexcept {
  if (!answered_ && session_) {
    respond(Response{Status::internal_server_error, "500 Internal Server Error\n"}, nullptr);
  }
  if (run_) run_->exchange_released();
  delete this;
}

}  // namespace hotline::http
