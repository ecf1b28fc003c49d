#pragma once

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <hotline/http/exchange.h>
#include <hotline/http/observer.h>
#include <hotline/net/stream.h>
#include <hotline/net/timer.h>

#include "http/handler_run.h"
#include "http/head_reader.h"
#include "http/host_rule.h"
#include "http/request_body.h"
#include "http/response_writer.h"
#include "net/output.h"

namespace hotline::http {

class Http1Exchange;
class Worker;

/// One connection that speaks HTTP/1.1 (RFC 9112): request after request, until one says that it is
/// the last, or a handler takes the connection over.
///
///     reading ──head complete──► handling ──answered──► reading
///        │                           ├──its body unread──► skipping ──► reading
///        └──refused, idle or ended───┼───the last answer
///                                    ▼
///                                 closing ──all sent──► lingering ──► ended
///
/// Holds a block only while bytes in it wait to be looked at, or the handler has a piece of its
/// request's body. Deletes itself.
class Http1Session final : private Waiter,
                           private OutputListener,
                           private hotline::detail::Timer,
                           private hotline::detail::Drainable,
                           public AutoUnlink {
 public:
  Http1Session(Worker& worker, StreamPointer stream, ConnectionRules rules);
  Http1Session(const Http1Session&) = delete;
  Http1Session& operator=(const Http1Session&) = delete;
  ~Http1Session();

  /// Begins to wait for a request. `received`: bytes that have come already, no more than a block.
  void start(std::string_view received = {}) noexcept;
  /// Answers no request, but the connection itself, and closes it.
  void start_refusing(const Response& response) noexcept;

  // For the exchange that is under way:
  /// Writes the response; answered() must follow. `reason`: RequestRecord::reason.
  void answer(const Response& response, std::string_view reason) noexcept;
  /// Goes on to the next request, or to the end. `this` may be gone afterwards.
  void answered() noexcept;
  /// The same, for what a handler did not say.
  void refuse(const Refusal& refusal) noexcept;
  Output& output() noexcept { return output_; }

  detail::BodyPiece read_body(std::uint64_t limit) noexcept;
  void stop_reading_body() noexcept;
  /// Why the body could not be had; null: it could.
  const RequestBody::Failure* body_failure() const noexcept;
  bool has_unread_body() const noexcept { return body_ && !body_->decoder.complete(); }

  /// An answer whose body follows: its head, then some bytes each time (false: more than announced,
  /// and nothing is sent), then the end (false: fewer, and the connection is cut). answered() must
  /// follow the end.
  void start(const Response& response) noexcept;
  bool write_body(std::string_view bytes, hotline::detail::Segment& segment) noexcept;
  bool finish() noexcept;
  void cut() noexcept;

  /// The handler that runs; it tells when it has ended.
  void run_by(HandlerRun& run) noexcept { run_ = &run; }
  void handler_ended() noexcept;

  detail::TakenOver take_over(std::string_view head);

 private:
  using BodyPiece = detail::BodyPiece;
  // What nginx has in its logs for a client that did not wait for the answer.
  static constexpr int status_of_abandoned = 499;
  // A head that has begun when the server drains has so long to end.
  static constexpr std::chrono::milliseconds drain_grace{1'000};
  enum class State : std::uint8_t { reading, handling, skipping, closing, lingering, ended };

  // The body of the answer under way.
  struct Streamed {
    ResponseFraming framing;
    int status;
    std::uint64_t left;  // of what was announced
    std::uint64_t bytes = 0;
    std::size_t unrested = 0;  // written since others last had their turn
  };

  // Receiving
  void ready() noexcept override;
  void receive() noexcept;
  void input_ended() noexcept;
  void listen() noexcept;
  void process() noexcept;
  void dispatch(std::string_view rest) noexcept;
  void send(const Response& response) noexcept;
  bool is_idle() const noexcept;
  bool is_parked() const noexcept { return head_.size() == 0 && !partial_.empty(); }
  void park() noexcept;
  void unpark() noexcept;
  void resume() noexcept;
  void yield() noexcept;
  void give_back_block() noexcept;
  void drop(std::size_t size) noexcept;
  void skip() noexcept;

  // The request's body
  BodyPiece wait_for_body() noexcept;
  BodyPiece fail_body(const Refusal& refusal, Fault fault) noexcept;
  void wake_body_reader() noexcept;

  // Answering
  ConnectionOption connection_option() const noexcept;
  bool is_last() const noexcept;
  void begin_next() noexcept;

  // For the observer, if there is one: what has become of the request under way.
  void record(RequestEnd end, int status, std::uint64_t bytes, std::string_view reason) noexcept;

  // What comes next
  void settle() noexcept;
  void close_when_sent() noexcept;
  void hang_up(std::string_view reason) noexcept;
  void reset() noexcept;
  void end() noexcept;

  void output_progressed() noexcept override;
  void output_failed(int error) noexcept override;
  void expired() noexcept override;
  void want(std::chrono::milliseconds timeout) noexcept;
  void arm(TimePoint deadline) noexcept;
  void drain() noexcept override;

  Worker& worker_;
  StreamPointer stream_;
  Output output_;
  const ConnectionRules rules_;
  Http1Exchange* exchange_ = nullptr;  // under way: not answered yet
  HandlerRun* run_ = nullptr;          // it runs, perhaps behind its answer
  std::unique_ptr<RequestBody> body_;  // of the request under way, if it has one
  std::optional<Streamed> streamed_;
  HeadReader head_;
  std::shared_ptr<const TlsInfo> tls_;  // null until the first request, and without
  std::string partial_;    // an incomplete head; or, parked, bytes that nobody has looked at yet
  char* block_ = nullptr;  // bytes from begin_ to end_ wait to be looked at
  std::size_t begin_ = 0;
  std::size_t end_ = 0;
  std::size_t dropped_ = 0;
  TimePoint deadline_ = TimePoint::max();  // the timer may be set for earlier
  TimePoint asked_at_{};                   // with an observer: of the request under way
  std::shared_ptr<Http1Session*> yielded_;
  State state_ = State::reading;
  bool receiving_ = false;
  bool processing_ = false;
  bool in_head_ = false;      // the head's time runs
  bool input_ended_ = false;  // and an answer still goes out
  // Of the request under way
  bool closes_ = false;
  bool head_only_ = false;
  bool version10_ = false;
};

}  // namespace hotline::http
