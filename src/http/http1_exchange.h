#pragma once

#include <optional>
#include <string>
#include <string_view>

#include <hotline/http/exchange.h>
#include <hotline/net/segment.h>

#include "http/request_builder.h"
#include "http/router.h"

namespace hotline::http {

class HandlerRun;
class Http1Session;
class Worker;

/// What stands behind the Exchange of an HTTP/1.1 request. It owns the head that the Request's
/// views are into, and may outlive the session, which it then no longer knows.
class Http1Exchange final : public detail::ExchangeCore {
 public:
  Http1Exchange(Worker& worker, Http1Session& session) noexcept
      : worker_(worker), session_(&session) {}

  /// Takes a head that came in two pieces. To be deleted where it is refused.
  std::optional<Refusal> parse(std::string_view first, std::string_view second, std::size_t fields);
  void set_parameters(const RouteMatch& match);
  const RequestTraits& traits() const noexcept { return traits_; }
  Request& mutable_request() noexcept { return request_; }

  void run_by(HandlerRun* run) noexcept;
  /// The connection ended before the answer: stops the handler. `this` may be gone afterwards.
  void client_gone() noexcept;
  /// The session ends by itself. `this` may be gone afterwards.
  void session_gone() noexcept;
  /// Refuses in the session's name, where nothing is answered.
  void refuse(const Refusal& refusal) noexcept;
  /// There is something to read of the body, or never will be. `this` may be gone afterwards.
  void wake_body_reader() noexcept;
  /// What add_header() was called for, or null.
  const Response* more_fields() const noexcept { return more_ ? &*more_ : nullptr; }

  const Request& request() const noexcept override { return request_; }
  Loop& loop() noexcept override;
  bool answered() const noexcept override { return answered_; }
  bool draining() const noexcept override;
  std::chrono::seconds retry_after() const noexcept override;
  void add_header(std::string_view name, std::string_view value) override;
  bool respond(const Response& response, Waiter* waiter, std::string_view reason) noexcept override;
  void cancel_wait(Waiter& waiter) noexcept override;
  detail::BodyPiece read_body(std::uint64_t limit, Waiter& waiter) noexcept override;
  void cancel_body_wait(Waiter& waiter) noexcept override;
  std::uint64_t body_limit() const noexcept override;
  void start(const Response& response) override;
  void write_body(std::string_view bytes, hotline::detail::Segment& segment) override;
  void abandon(hotline::detail::Segment& segment) noexcept override;
  bool finish(Waiter& waiter) override;
  void cut() noexcept override;
  detail::TakenOver take_over(std::string_view head) override;
  void observe_handler(detail::HandlerObserver* observer) noexcept override;
  void release() noexcept override;
  void retain() noexcept override { ++handles_; }
  void drop() noexcept override;

 private:
  // Stands in the output's queue behind a response until that is sent.
  class Fence final : public hotline::detail::Segment {
   public:
    ~Fence() { withdraw(); }
    bool wait(Output& output, Waiter& waiter) noexcept;
    void withdraw() noexcept;

   private:
    void sent() noexcept override;
    Output* output_ = nullptr;
    Waiter* waiter_ = nullptr;
  };

  ~Http1Exchange();
  Http1Session& session_for_stream();

  Worker& worker_;
  Http1Session* session_;
  HandlerRun* run_ = nullptr;
  Waiter* body_reader_ = nullptr;
  Output* streamed_to_ = nullptr;  // there while a segment is queued in it
  int handles_ = 1;
  bool answered_ = false;
  bool finished_ = false;  // the stream of the answer
  Fence fence_;
  std::string head_;
  std::string decoded_;  // parameters that were percent-encoded
  Request request_;
  RequestTraits traits_;
  std::optional<Response> more_;
};

}  // namespace hotline::http
