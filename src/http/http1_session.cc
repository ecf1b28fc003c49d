#include "http/http1_session.h"

#include <algorithm>
#include <utility>

#include <hotline/base/error.h>

#include "http/http1_exchange.h"
#include "http/worker.h"

namespace hotline::http {
namespace {

// What one connection may be served before others have their turn.
constexpr int requests_a_turn = 64;
constexpr std::size_t bytes_a_turn = 64 * 1024;

constexpr std::size_t most_dropped = std::size_t{1} << 20;
constexpr std::chrono::milliseconds longest_linger{2'000};

// What nginx has in its logs for a client that did not wait for the answer.
constexpr int client_closed_request = 499;

std::string sentence(Status status, std::string_view reason) {
  auto text = std::to_string(static_cast<int>(status));
  text += ' ';
  text += reason_phrase(status);
  text += ": ";
  text += reason;
  text += '\n';
  return text;
}

}  // namespace

Http1Session::Http1Session(Worker& worker, StreamPointer stream, ConnectionSlot slot)
    : worker_(worker),
      stream_(std::move(stream)),
      output_(worker.loop(), *this),
      slot_(std::move(slot)),
      head_(worker.site().limits) {
  worker_.add(*this);
  worker_.loop().connection_opened();
  join(worker_.loop());
  output_.attach(*stream_);
}

Http1Session::~Http1Session() {
  unlink();
  leave();
  if (exchange_) {
    record(RequestEnd::abandoned, client_closed_request, 0, "the server stopped");
    exchange_->session_gone();
  }
  give_back_block();
  if (stream_) {
    output_.detach();
    stream_->cancel_wait(*this);
  }
  worker_.loop().connection_closed();
}

void Http1Session::start() noexcept { settle(); }

void Http1Session::start_refusing(const Response& response) noexcept {
  closes_ = true;
  send(response);
  settle();
}

// Receiving

void Http1Session::ready() noexcept {
  receiving_ = false;
  receive();
}

void Http1Session::listen() noexcept {
  if (std::exchange(receiving_, true)) return;
  stream_->wait_readable(*this);
}

void Http1Session::receive() noexcept {
  const auto block = worker_.loop().blocks().take();
  block_ = block.data();
  begin_ = 0;
  const auto transfer = stream_->try_read(block);
  end_ = transfer.size;
  if (transfer.size == 0) give_back_block();
  if (transfer.would_block()) {
    if (!worker_.loop().draining() || !is_idle()) return listen();
    output_.flush_if_corked();
    if (output_.backlog() == 0) return end();
    state_ = State::closing;
    return close_when_sent();
  }
  if (transfer.failed()) return hang_up();
  if (transfer.ended()) return input_ended();
  switch (state_) {
    case State::reading: return process();
    case State::handling: return park();  // receiving stops here until the answer
    default: return drop(transfer.size);
  }
}

// The client may have shut down its writing only, and still waits for answers that are given
// already.
void Http1Session::input_ended() noexcept {
  switch (state_) {
    case State::reading: state_ = State::closing; return close_when_sent();
    case State::handling: return hang_up();
    case State::closing: return;
    default: return end();
  }
}

void Http1Session::drop(std::size_t size) noexcept {
  give_back_block();
  dropped_ += size;
  if (dropped_ > most_dropped) return end();
  if (state_ == State::lingering) listen();
}

// Looks at the bytes in the block, request by request.
void Http1Session::process() noexcept {
  int requests = 0;
  std::size_t bytes = 0;
  processing_ = true;
  while (state_ == State::reading && begin_ != end_ && (head_.size() > 0 || !output_.high())) {
    if (requests == requests_a_turn || bytes >= bytes_a_turn) {
      yield();
      break;
    }
    const std::string_view input{block_ + begin_, end_ - begin_};
    const auto before = head_.size();
    const auto result = head_.feed(input);
    const auto taken = head_.size() - before;
    begin_ += taken;
    bytes += taken;
    if (result == HeadReader::Result::complete) {
      ++requests;
      dispatch(input.substr(0, taken));
    } else if (result == HeadReader::Result::refused) {
      refuse(head_.refusal());
    } else {
      partial_.append(input);
    }
  }
  processing_ = false;
  if (state_ == State::ended) {
    delete this;
  } else {
    settle();
  }
}

// A head is complete: what came before, in partial_, and the rest of it.
void Http1Session::dispatch(std::string_view rest) noexcept {
  closes_ = true;
  head_only_ = version10_ = in_head_ = false;
  deadline_ = TimePoint::max();  // the handler takes the time it takes
  auto* exchange = new Http1Exchange{worker_, *this};
  exchange_ = exchange;
  if (worker_.options().observer) asked_at_ = worker_.loop().now();
  const auto refusal = exchange->parse(partial_, rest, head_.field_count());
  std::string{}.swap(partial_);
  head_.reset();
  auto& request = exchange->mutable_request();
  RequestBuilder::set_addresses(request, stream_->remote_address(), stream_->local_address());
  if (refusal) {
    exchange_ = nullptr;
    exchange->session_gone();
    exchange->release();
    return refuse(*refusal);
  }
  const auto& traits = exchange->traits();
  head_only_ = request.method() == "HEAD";
  if (!worker_.site().host_rule.allows(traits.host)) {
    return refuse({Status::misdirected_request, "this server does not go by the name in Host"});
  }
  version10_ = request.version() == 10;
  closes_ = !traits.keep_alive || traits.has_body;
  state_ = State::handling;
  auto& match = worker_.match();
  const auto& route =
      worker_.site().router.find(request.method(), request.host(), request.path(), match);
  exchange->set_parameters(match);
  HandlerRun::start(worker_, route, *exchange);
}

// Nothing that follows is looked at.
void Http1Session::refuse(const Refusal& refusal) noexcept {
  worker_.loop().log(LogLevel::info, [&] {
    auto line = "refused a request from " + stream_->remote_address().to_string() + ": ";
    line += std::to_string(static_cast<int>(refusal.status));
    return line.append(", ").append(refusal.reason);
  });
  closes_ = true;
  if (!exchange_) head_only_ = version10_ = false;  // they were of the request before
  const Response response{refusal.status, sentence(refusal.status, refusal.reason)};
  record(RequestEnd::refused, static_cast<int>(refusal.status),
         head_only_ ? 0 : response.body().size(), refusal.reason);
  if (auto* exchange = std::exchange(exchange_, nullptr)) {
    exchange->session_gone();
    exchange->release();
  }
  send(response);
}

bool Http1Session::is_idle() const noexcept {
  return state_ == State::reading && !block_ && partial_.empty();
}

void Http1Session::park() noexcept {
  partial_.append(block_ + begin_, end_ - begin_);
  give_back_block();
}

void Http1Session::give_back_block() noexcept {
  if (block_) worker_.loop().blocks().give_back(std::exchange(block_, nullptr));
  begin_ = end_ = 0;
}

// Goes on with bytes that wait.
void Http1Session::resume() noexcept {
  if (is_parked()) {
    block_ = worker_.loop().blocks().take().data();  // they came out of one block, and fit
    begin_ = 0;
    end_ = partial_.copy(block_, partial_.size());
    std::string{}.swap(partial_);
  }
  process();
}

void Http1Session::yield() noexcept {
  yielded_ = std::make_shared<Http1Session*>(this);
  worker_.loop().post([weak = std::weak_ptr{yielded_}] {
    const auto session = weak.lock();
    if (!session) return;
    (*session)->yielded_.reset();
    (*session)->resume();
  });
}

// Answering

void Http1Session::answer(const Response& response) noexcept {
  const bool bodyless = head_only_ || !has_body(response.status());
  record(RequestEnd::answered, static_cast<int>(response.status()),
         bodyless ? 0 : response.body().size(), {});
  exchange_ = nullptr;
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
  }
  observer->request_ended(record);
}

void Http1Session::send(const Response& response) noexcept {
  const bool last = closes_ || response.closes() || worker_.loop().draining();
  auto& head = worker_.scratch();
  append_head(head, response, worker_.date().now(),
              last         ? ConnectionOption::close
              : version10_ ? ConnectionOption::keep_alive
                           : ConnectionOption::none);
  const bool bodyless = head_only_ || !has_body(response.status());
  output_.write(head, bodyless ? std::string_view{} : std::string_view{response.body()});
  state_ = last ? State::closing : State::reading;
}

void Http1Session::answered() noexcept {
  if (processing_) return;
  // The next request is not handled from inside the handler of the one before.
  if (state_ == State::reading && is_parked()) return yield();
  settle();
}

detail::TakenOver Http1Session::take_over(std::string_view head, HandlerRun* run) {
  const bool upgraded = !head.empty();
  record(upgraded ? RequestEnd::upgraded : RequestEnd::hijacked, upgraded ? 101 : 0, 0, {});
  exchange_ = nullptr;
  detail::TakenOver taken;
  taken.received = std::move(partial_);
  if (block_) taken.received.append(block_ + begin_, end_ - begin_);
  taken.unsent = output_.take_unsent();
  taken.unsent.append(head);
  stream_->cancel_wait(*this);
  taken.stream = std::move(stream_);
  if (run) run->keep(std::move(slot_));
  end();
  return taken;
}

// What comes next

void Http1Session::settle() noexcept {
  if (yielded_) return;
  const auto& options = worker_.options();
  switch (state_) {
    case State::reading:
      if (begin_ != end_ || is_parked()) {
        // The backlog is high: output_progressed() goes on.
        if (block_) park();
        return want(options.idle_timeout);
      }
      give_back_block();
      listen();
      if (head_.size() == 0) {
        want(options.idle_timeout);
      } else if (!std::exchange(in_head_, true)) {
        want(options.head_timeout);
      }
      return;
    case State::handling:
      if (begin_ != end_) return park();
      give_back_block();
      if (partial_.empty()) listen();  // to notice a client that hangs up
      return;
    case State::closing: return close_when_sent();
    default: return;
  }
}

void Http1Session::close_when_sent() noexcept {
  give_back_block();
  std::string{}.swap(partial_);
  output_.flush_if_corked();
  if (output_.failed()) return end();
  if (output_.backlog() > 0) return want(worker_.options().idle_timeout);
  stream_->shut_down();
  // Closing with unread bytes would reset the connection, and the client lose the answer (RFC
  // 9112 9.6).
  state_ = State::lingering;
  want(longest_linger);
  listen();
}

// The client has gone, or cannot be reached.
void Http1Session::hang_up() noexcept {
  if (exchange_) {
    record(RequestEnd::abandoned, client_closed_request, 0, "the client did not wait");
    std::exchange(exchange_, nullptr)->client_gone();
  }
  end();
}

void Http1Session::end() noexcept {
  state_ = State::ended;
  if (!processing_) delete this;
}

void Http1Session::output_progressed() noexcept {
  if (state_ == State::closing) return close_when_sent();
  if (state_ != State::reading || yielded_) return;
  if (!in_head_) want(worker_.options().idle_timeout);
  if (is_parked() && !output_.high()) resume();
}

void Http1Session::output_failed(int) noexcept { hang_up(); }

// The timer is moved only where it must ring earlier: most deadlines are replaced before they come.
void Http1Session::want(std::chrono::milliseconds timeout) noexcept {
  deadline_ = worker_.loop().now() + timeout;
  if (!is_set() || Timer::deadline() > deadline_) set(worker_.loop(), deadline_);
}

void Http1Session::expired() noexcept {
  if (deadline_ == TimePoint::max()) return;
  if (worker_.loop().now() < deadline_) return set(worker_.loop(), deadline_);
  if (state_ == State::reading && in_head_) {
    refuse({Status::request_timeout, "the request's head took too long"});
    return settle();
  }
  end();
}

void Http1Session::drain() noexcept {
  // One that is busy says in its next answer that it is the last. One that is idle closes, unless a
  // request is on its way in.
  if (!is_idle() || yielded_) return;
  stream_->cancel_wait(*this);
  receiving_ = false;
  receive();
}

}  // namespace hotline::http
