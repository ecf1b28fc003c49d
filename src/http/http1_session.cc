#include "http/http1_session.h"

#include <algorithm>
#include <utility>

#include "http/http1_exchange.h"
#include "http/worker.h"

namespace hotline::http {
namespace {

// What one connection may be served before others have their turn, of one block at most.
constexpr int requests_a_turn = 64;

constexpr std::size_t most_dropped = std::size_t{1} << 20;

}  // namespace

Http1Session::Http1Session(Worker& worker, StreamPointer stream, ConnectionRules rules)
    : worker_(worker),
      stream_(std::move(stream)),
      output_(worker.loop(), *this),
      rules_(rules),
      head_(worker.site().limits) {
  worker_.add(*this);
  worker_.loop().connection_opened();
  join(worker_.loop());
  output_.attach(*stream_);
}

Http1Session::~Http1Session() {
  unlink();
  leave();
  if (run_) run_->session_gone();
  if (exchange_) {
    record(RequestEnd::abandoned, status_of_abandoned, streamed_ ? streamed_->bytes : 0,
           "the server stopped");
    exchange_->session_gone();
  }
  give_back_block();
  if (stream_) {
    output_.detach();
    stream_->cancel_wait(*this);
  }
  worker_.loop().connection_closed();
}

void Http1Session::start(std::string_view received) noexcept {
  if (received.empty()) return settle();
  partial_ = received;
  resume();
}

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
  if (input_ended_ || std::exchange(receiving_, true)) return;
  stream_->wait_readable(*this);
}

void Http1Session::receive() noexcept {
  // What came before is yet to be looked at: settle() listens again behind it.
  if (block_ || (is_parked() && state_ != State::handling)) return;
  const auto block = worker_.loop().blocks().take();
  block_ = block.data();
  begin_ = 0;
  const auto parked = is_parked() ? partial_.size() : 0;  // all of it is to fit in a block
  const auto transfer = stream_->try_read(block.first(block.size() - parked));
  end_ = transfer.size;
  if (transfer.size == 0) give_back_block();
  if (transfer.would_block()) {
    if (!worker_.loop().draining() || !is_idle()) return listen();
    output_.flush_if_corked();
    if (output_.backlog() == 0) return end();
    state_ = State::closing;
    return close_when_sent();
  }
  if (transfer.failed()) return hang_up("the connection was lost");
  if (transfer.ended()) return input_ended();
  switch (state_) {
    case State::reading:
    case State::skipping: return process();
    case State::handling:
      if (body_ && body_->waits()) return wake_body_reader();
      if (body_failure()) return drop(transfer.size);
      return settle();
    default: return drop(transfer.size);
  }
}

// The client may have shut down its writing only, and still waits for answers that are given
// already.
void Http1Session::input_ended() noexcept {
  switch (state_) {
    case State::reading:
    case State::skipping: state_ = State::closing; return close_when_sent();
    case State::handling:
      // Who ends its sending while its answer is on its way may still take it.
      if (!streamed_ || output_.backlog() == 0) return hang_up("the client did not wait");
      input_ended_ = closes_ = true;
      if (body_ && body_->waits()) wake_body_reader();
      return;
    case State::closing: return;
    default: return end();
  }
}

void Http1Session::drop(std::size_t size) noexcept {
  give_back_block();
  dropped_ += size;
  if (state_ == State::handling) {
    if (dropped_ <= most_dropped) listen();
    return;
  }
  if (dropped_ > most_dropped) return end();
  if (state_ == State::lingering) listen();
}

// Looks at the bytes in the block, request by request.
void Http1Session::process() noexcept {
  int requests = 0;
  processing_ = true;
  while (begin_ != end_) {
    if (state_ == State::skipping) {
      skip();
      continue;
    }
    if (state_ != State::reading || run_ || (head_.size() == 0 && output_.high())) break;
    if (requests == requests_a_turn) {
      yield();
      break;
    }
    const std::string_view input{block_ + begin_, end_ - begin_};
    const auto before = head_.size();
    const auto result = head_.feed(input);
    const auto taken = head_.size() - before;
    begin_ += taken;
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
  if (!tls_) tls_ = stream_->shared_tls();
  RequestBuilder::set_tls(request, tls_);
  if (rules_.forwarded) worker_.site().find_client(request);
  head_only_ = request.method() == "HEAD";
  if (refusal) {
    exchange_ = nullptr;
    exchange->session_gone();
    exchange->release();
    return refuse(*refusal);
  }
  const auto& traits = exchange->traits();
  if (!rules_.hosts.allows(traits.host)) {
    exchange->refuse({Status::misdirected_request, "this server does not go by the name in Host"});
    return exchange->release();
  }
  version10_ = request.version() == 10;
  closes_ = !traits.keep_alive;
  if (!traits.body.is_empty()) {
    body_ =
        std::make_unique<RequestBody>(worker_.site().limits, traits.body, traits.expects_continue);
  }
  state_ = State::handling;
  auto& match = worker_.match();
  const auto& route =
      worker_.site().router.find(request.method(), request.host(), request.path(), match);
  exchange->set_parameters(match);
  HandlerRun::start(worker_, route, *exchange);
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

// Bytes that wait lie in a block again.
void Http1Session::unpark() noexcept {
  if (!is_parked()) return;
  block_ = worker_.loop().blocks().take().data();  // they came out of one block, and fit
  begin_ = 0;
  end_ = partial_.copy(block_, partial_.size());
  std::string{}.swap(partial_);
}

// Goes on with bytes that wait.
void Http1Session::resume() noexcept {
  unpark();
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

// What comes next

void Http1Session::settle() noexcept {
  if (yielded_) return;
  const auto& options = worker_.options();
  switch (state_) {
    case State::reading:
      if (begin_ != end_ || is_parked()) {
        // The backlog is high, or the handler runs on behind its answer: output_progressed() or
        // handler_ended() goes on.
        if (block_) park();
        return want(options.idle_timeout);
      }
      give_back_block();
      // Who is idle by now was not when the drain told everybody.
      if (worker_.loop().draining() && is_idle()) return drain();
      listen();
      if (head_.size() == 0) {
        want(options.idle_timeout);
      } else if (!std::exchange(in_head_, true)) {
        want(worker_.loop().draining() ? std::min(options.head_timeout, drain_grace)
                                       : options.head_timeout);
      }
      return;
    case State::skipping: give_back_block(); return listen();
    case State::handling:
      if (body_ && body_->lent) return;
      if (block_) park();
      // To notice a client that hangs up. Behind a body that nobody reads, or a block full of
      // requests, it is held back and not heard.
      if (partial_.empty() || (!has_unread_body() && partial_.size() < BlockPool::block_size)) {
        listen();
      }
      return;
    case State::closing: return close_when_sent();
    default: return;
  }
}

}  // namespace hotline::http
