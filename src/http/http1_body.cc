// How an HTTP/1.1 session takes a request's body.
#include "http/http1_exchange.h"
#include "http/http1_session.h"
#include "http/worker.h"

namespace hotline::http {

using detail::BodyPiece;

const RequestBody::Failure* Http1Session::body_failure() const noexcept {
  return body_ && body_->failure ? &*body_->failure : nullptr;
}

BodyPiece Http1Session::fail_body(const Refusal& refusal, Fault fault) noexcept {
  closes_ = true;
  body_->lent = false;
  body_->failure = {refusal, fault};
  // Nothing behind it will be looked at.
  give_back_block();
  std::string{}.swap(partial_);
  listen();
  return {BodyPiece::Kind::failed, {}, fault, refusal.reason};
}

BodyPiece Http1Session::read_body(std::uint64_t limit) noexcept {
  if (!body_) return {};
  if (const auto* failure = body_failure()) {
    return {BodyPiece::Kind::failed, {}, failure->fault, failure->refusal.reason};
  }
  auto& decoder = body_->decoder;
  const auto too_large = [&] {
    return decoder.received() > limit || decoder.announced() > limit - decoder.received();
  };
  body_->lent = false;
  if (!decoder.complete() && !too_large()) {
    unpark();
    const auto step = decoder.next({block_ + begin_, end_ - begin_});
    begin_ += step.taken;
    if (step.taken > 0) body_->expects_continue = false;
    if (decoder.refused()) return fail_body(decoder.refusal(), Fault::protocol_error);
    if (step.result == BodyDecoder::Result::piece && !too_large()) {
      body_->lent = true;
      return {BodyPiece::Kind::piece, step.piece, {}, {}};
    }
  }
  if (too_large()) {
    return fail_body({Status::content_too_large, "the request's body is too large"},
                     Fault::body_too_large);
  }
  if (decoder.complete()) {
    if (!processing_) settle();  // what came behind it waits for the answer
    return {};
  }
  return wait_for_body();
}

BodyPiece Http1Session::wait_for_body() noexcept {
  give_back_block();
  if (input_ended_) {
    return fail_body({Status::bad_request, "the request's body has no end"},
                     Fault::connection_ended);
  }
  if (std::exchange(body_->expects_continue, false) && !streamed_) {
    output_.write(std::string_view{"HTTP/1.1 100 Continue\r\n\r\n"}, {});
  }
  const auto& options = worker_.options();
  arm(body_->wait(worker_.loop().now(), options.body_timeout, options.body_rate));
  listen();
  return {BodyPiece::Kind::waiting, {}, {}, {}};
}

void Http1Session::stop_reading_body() noexcept {
  if (body_) body_->stop_waiting(worker_.loop().now());
}

// `this` may be gone afterwards.
void Http1Session::wake_body_reader() noexcept {
  stop_reading_body();
  if (exchange_) exchange_->wake_body_reader();
}

// Drops a part of a body that nobody has read.
void Http1Session::skip() noexcept {
  auto& decoder = body_->decoder;
  const auto step = decoder.next({block_ + begin_, end_ - begin_});
  begin_ += step.taken;
  body_->skipped += step.taken;
  if (decoder.complete()) {
    state_ = State::reading;
    body_.reset();
  } else if (decoder.refused() || body_->skipped > RequestBody::most_skipped) {
    state_ = State::closing;
  }
}

}  // namespace hotline::http
