// How an HTTP/1.1 session answers.
#include <utility>

#include "http/http1_exchange.h"
#include "http/http1_session.h"
#include "http/worker.h"

namespace hotline::http {
namespace {

std::string sentence(Status status, std::string_view reason) {
  auto text = std::to_string(static_cast<int>(status));
  text += ' ';
  text += reason_phrase(status);
  text += ": ";
  text += reason;
  text += '\n';
  return text;
}

// What an answer may write before others have their turn, even if its client takes all of it.
constexpr std::size_t a_turn = 128 * 1024;
constexpr std::string_view no_head = "";  // not a null pointer: it is copied from

}  // namespace

// Nothing that follows is looked at.
void Http1Session::refuse(const Refusal& refusal) noexcept {
  // An observer hears of it anyway.
  const auto level = worker_.options().observer ? LogLevel::debug : LogLevel::info;
  worker_.loop().log(level, [&] {
    auto line = "refused a request from " + stream_->remote_address().to_string() + ": ";
    line += std::to_string(static_cast<int>(refusal.status));
    return line.append(", ").append(refusal.reason);
  });
  closes_ = true;
  const Response response{refusal.status, sentence(refusal.status, refusal.reason)};
  record(RequestEnd::refused, static_cast<int>(refusal.status),
         head_only_ ? 0 : response.body().size(), refusal.reason);
  send(response);
}

void Http1Session::answer(const Response& response, std::string_view reason) noexcept {
  const bool bodyless = head_only_ || !has_body(response.status());
  record(RequestEnd::answered, static_cast<int>(response.status()),
         bodyless ? 0 : response.body().size(), reason);
  send(response);
}

void Http1Session::record(RequestEnd end, int status, std::uint64_t bytes,
                          std::string_view reason) noexcept {
  auto* observer = worker_.options().observer.get();
  if (!observer) return;
  RequestRecord record{.end = end,
                       .status = status,
                       .remote = stream_->remote_address(),
                       .response_bytes = bytes,
                       .reason = reason};
  if (exchange_) {
    const auto& request = exchange_->request();
    record.request = &request;
    record.method = request.method();
    record.target = request.target();
    record.version = request.version();
    record.duration = worker_.loop().now() - asked_at_;
    if (body_) record.request_bytes = body_->decoder.received();
  }
  observer->request_ended(record);
}

void Http1Session::send(const Response& response) noexcept {
  closes_ = closes_ || response.closes() || is_last();
  auto& head = worker_.scratch();
  append_head(head, response, worker_.date().now(), connection_option(), ResponseFraming::length,
              exchange_ ? exchange_->more_fields() : nullptr);
  const bool bodyless = head_only_ || !has_body(response.status());
  output_.write(head, bodyless ? std::string_view{} : std::string_view{response.body()});
  begin_next();
}

ConnectionOption Http1Session::connection_option() const noexcept {
  return closes_      ? ConnectionOption::close
         : version10_ ? ConnectionOption::keep_alive
                      : ConnectionOption::none;
}

// Whether no request is looked at behind the one under way.
bool Http1Session::is_last() const noexcept {
  if (closes_ || worker_.loop().draining()) return true;
  if (!has_unread_body()) return false;
  // Who waits for "100 Continue" may send the body now, or leave it out (RFC 9110 10.1.1).
  if (body_->expects_continue && begin_ == end_ && partial_.empty()) return true;
  return body_->decoder.announced() > RequestBody::most_skipped;
}

// The answer is given.
void Http1Session::begin_next() noexcept {
  exchange_ = nullptr;
  head_only_ = version10_ = false;
  streamed_.reset();
  stop_reading_body();
  if (closes_) {
    state_ = State::closing;
  } else if (has_unread_body()) {
    state_ = State::skipping;
    body_->lent = false;
    want(worker_.options().body_timeout);
  } else {
    state_ = State::reading;
    body_.reset();
  }
}

void Http1Session::answered() noexcept {
  if (processing_) return;
  if ((state_ == State::reading || state_ == State::skipping) && (begin_ != end_ || is_parked())) {
    if (block_) park();
    // The next request is not handled from inside the handler of the one before.
    if (!run_ || state_ == State::skipping) return yield();
  }
  settle();
}

void Http1Session::handler_ended() noexcept {
  run_ = nullptr;
  if (processing_ || yielded_ || state_ != State::reading || output_.high()) return;
  if (is_parked()) yield();
}

// Answers whose body follows

void Http1Session::start(const Response& response) noexcept {
  const bool bodyless = head_only_ || !has_body(response.status());
  auto framing = ResponseFraming::chunked;
  if (response.content_length()) {
    framing = ResponseFraming::length;
  } else if (version10_) {
    framing = ResponseFraming::until_close;
    closes_ = true;
  }
  closes_ = closes_ || response.closes() || worker_.loop().draining() ||
            (has_unread_body() && body_->expects_continue);
  auto& head = worker_.scratch();
  append_head(head, response, worker_.date().now(), connection_option(), framing,
              exchange_->more_fields());
  output_.write(head, {});
  streamed_ = Streamed{bodyless ? ResponseFraming::none : framing,
                       static_cast<int>(response.status()), response.content_length().value_or(0)};
}

bool Http1Session::write_body(std::string_view bytes, hotline::detail::Segment& segment) noexcept {
  if (bytes.empty()) return true;  // as a chunk it would be the end
  switch (streamed_->framing) {
    case ResponseFraming::none: return head_only_;
    case ResponseFraming::length:
      if (bytes.size() > streamed_->left) return false;
      streamed_->left -= bytes.size();
      output_.write(no_head, bytes, &segment);
      break;
    case ResponseFraming::until_close: output_.write(no_head, bytes, &segment); break;
    case ResponseFraming::chunked:
      output_.write(ChunkHead{bytes.size()}.text(), bytes, &segment);
      output_.write(std::string_view{"\r\n"}, {});
      break;
  }
  streamed_->bytes += bytes.size();
  streamed_->unrested += bytes.size();
  if (segment.queued()) {
    streamed_->unrested = 0;
  } else if (streamed_->unrested >= a_turn && output_.rest(segment)) {
    streamed_->unrested = 0;
  }
  if (input_ended_ || (output_.backlog() > 0 && deadline_ == TimePoint::max())) {
    want(worker_.options().idle_timeout);
  }
  return true;
}

bool Http1Session::finish() noexcept {
  if (streamed_->framing == ResponseFraming::length && streamed_->left > 0) {
    cut();
    return false;
  }
  if (streamed_->framing == ResponseFraming::chunked) output_.write(last_chunk, {});
  record(RequestEnd::answered, streamed_->status, streamed_->bytes, {});
  closes_ = closes_ || is_last();
  deadline_ = TimePoint::max();
  begin_next();
  return true;
}

void Http1Session::cut() noexcept {
  record(RequestEnd::cut, streamed_->status, streamed_->bytes, {});
  const bool looks_whole = streamed_->framing == ResponseFraming::until_close;
  closes_ = true;
  begin_next();
  if (looks_whole) return reset();
  if (!processing_) settle();
}

detail::TakenOver Http1Session::take_over(std::string_view head) {
  const bool upgraded = !head.empty();
  record(upgraded ? RequestEnd::upgraded : RequestEnd::hijacked, upgraded ? 101 : 0, 0, {});
  const auto* more = exchange_->more_fields();
  detail::TakenOver taken;
  taken.received = std::move(partial_);
  if (block_) taken.received.append(block_ + begin_, end_ - begin_);
  taken.unsent = output_.take_unsent();
  taken.unsent.append(upgraded && more ? with_fields(head, *more) : head);
  exchange_ = nullptr;
  stream_->cancel_wait(*this);
  taken.stream = std::move(stream_);
  end();
  return taken;
}

}  // namespace hotline::http
