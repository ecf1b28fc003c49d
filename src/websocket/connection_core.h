#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>

#include <hotline/base/error.h>
#include <hotline/http/exchange.h>
#include <hotline/net/stream.h>
#include <hotline/net/timer.h>
#include <hotline/protocol/session.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/limits.h>

#include "net/output.h"
#include "websocket/observation.h"

namespace hotline {
class Loop;
}

namespace hotline::websocket {

class Outbox;
class WriteStream;
struct ConnectionExtras;
struct SenderOptions;

/// What many connections share: made once by an Upgrader or a Dialer, immutable.
struct ConnectionSettings {
  explicit ConnectionSettings(const Limits& connection_limits);

  Limits limits;
  protocol::SessionLimits session;
  std::vector<std::string> subprotocols;
  std::shared_ptr<ConnectionObserver> observer;  // null: nobody
};

/// A connection without its handle: pumps a Session over a Stream.
///
///     open ──close sent──► closing ──► ended     (the coroutines hear of it)
///       └────────failure, loss, close received─────►┘
///
/// Behind `ended` the core still sends what waits, lingers, and lets go of the stream. It lives
/// while its handle, one of its awaiters, its stream or a posted step of it does.
class ConnectionCore final : private Waiter,
                             private OutputListener,
                             private hotline::detail::Timer,
                             private hotline::detail::Drainable,
                             public http::detail::HandlerObserver {
 public:
  struct Origins {
    std::string received;  // came behind the handshake
    std::string unsent;    // goes before everything else
    int subprotocol = -1;  // index into the settings' list
  };

  ConnectionCore(Loop& loop, protocol::Role role, StreamPointer stream,
                 std::shared_ptr<const ConnectionSettings> settings, Origins origins);

  /// Opens the account, where the settings have an observer. At once, before anything happens.
  void observe(std::string_view target, const Address& client) noexcept;

  void retain() noexcept { ++references_; }
  void drop(std::uint32_t count = 1) noexcept {
    references_ -= count;
    if (references_ == 0) delete this;
  }

  Loop& loop() noexcept { return loop_; }

  // Connection
  void handle_gone(bool by_exception) noexcept;
  void discard_input() noexcept;
  void start_close(CloseCode code, std::string_view reason) noexcept;
  const CloseStatus& status() const noexcept;
  bool is_open() const noexcept { return state_ == State::open; }
  bool has_ended() const noexcept { return state_ == State::ended; }
  protocol::Role role() const noexcept { return session_.role(); }
  const Address& remote_address() const noexcept {
    return stream_ ? stream_->remote_address() : closing_->remote;
  }
  const Address& local_address() const noexcept {
    return stream_ ? stream_->local_address() : closing_->local;
  }
  std::string_view subprotocol() const noexcept;
  const TlsInfo* tls() const noexcept { return stream_ ? stream_->tls() : nullptr; }
  int descriptor() const noexcept { return stream_ ? stream_->descriptor() : -1; }

  bool output_failed_already() const noexcept { return output_.failed(); }

  // Awaiters
  bool read_now(Connection::Read& read);
  void park(Connection::Read& read) noexcept;
  void cancel(Connection::Read& read) noexcept;
  bool write_now(protocol::Opcode opcode, std::span<const char> payload,
                 hotline::detail::Segment& segment) noexcept;
  void cancel(hotline::detail::Segment& segment) noexcept { output_.abandon(segment); }
  // A peer that takes all as fast as it comes must not keep the loop from the others.
  bool wrote_enough(std::size_t size) noexcept {
    written_ += share_of(size);
    return written_ >= 2 * fair_bytes;
  }
  void rest(Connection::Write& write) noexcept;
  void cancel_rest(Connection::Write& write) noexcept;
  std::optional<Message> take_message(protocol::Opcode opcode, std::span<char> data) noexcept {
    return session_.take_message(opcode, data);
  }
  bool start_ping(Connection::Ping& ping) noexcept;
  void cancel(Connection::Ping& ping) noexcept;
  void await_end(Connection::Closed& closed) noexcept;
  void cancel(Connection::Closed& closed) noexcept;

  // Messages in pieces (message_stream.cc)
  bool begin_stream(Connection::Read& read, std::uint64_t message_size, bool& begun);
  /// Nobody waits for the stream's beginning any more.
  void give_up_stream() noexcept;
  bool read_piece(Connection::Read& read);
  bool piece_was_last() const noexcept { return !session_.message_under_way(); }
  /// Others may read again.
  void stream_read() noexcept { settling_ = false; }
  void skip_stream() noexcept;
  void stream_too_slow() noexcept;
  bool is_streaming_out() const noexcept { return streaming_out_ != StreamingOut::no; }
  void begin_streaming_out() noexcept { streaming_out_ = StreamingOut::message; }
  void end_streaming_out() noexcept;
  void hold(Connection::Write& write, const detail::PreparedFrame* frame = nullptr);
  void hold_stream(Connection::Write& write);
  void cancel_held(Connection::Write& write) noexcept;
  /// A frame of a message, by the long way. True: `segment` is queued and will be told.
  bool write_frame(protocol::Opcode opcode, bool fin, std::span<const char> payload,
                   hotline::detail::Segment* segment) noexcept;

  // Control (connection_control.cc)
  std::optional<Duration> round_trip_time() const noexcept;
  TimePoint last_heard();
  void set_keepalive(Duration interval, Duration timeout);
  ConnectionExtras& extras();

  // Senders
  std::shared_ptr<Outbox> make_outbox(const SenderOptions& options);
  /// How many bytes an outbox may hand over just now; 0, none.
  std::size_t outbox_room() const noexcept;
  std::size_t backlog() const noexcept { return output_.backlog(); }
  /// True: `segment` is queued and will be told.
  bool write_prepared(const detail::PreparedFrame& frame,
                      hotline::detail::Segment* segment = nullptr) noexcept;

  // http::detail::HandlerObserver
  void handler_ended(bool by_exception) noexcept override;

 private:
  friend class detail::WaitNode;
  // A connection that has delivered this much without suspending lets the others have a turn.
  // Every message counts for its bytes, and a small one for its share: 256 of them are the same.
  static constexpr std::uint32_t fair_bytes = 64 * 1024;
  static constexpr std::uint32_t share_of(std::size_t size) noexcept {
    return static_cast<std::uint32_t>(std::clamp<std::size_t>(size, fair_bytes / 256, fair_bytes));
  }

  enum class State : std::uint8_t { open, closing, ended };
  // A message is being written in pieces; or those who waited for it are about to have their turn.
  enum class StreamingOut : std::uint8_t { no, message, handing_over };

  // Kept apart, since most connections are open most of the time.
  struct Closing {
    explicit Closing(CloseStatus closing_status) : status(std::move(closing_status)) {}
    CloseStatus status;
    Address remote{};  // set when the stream goes
    Address local{};
  };

  ~ConnectionCore();

  // Receiving
  void ready() noexcept override;
  bool receive() noexcept;
  void pump() noexcept;
  bool next_message(protocol::Event& event) noexcept;
  bool settle(protocol::Event& event) noexcept;
  [[gnu::noinline]] bool read_slowly(Connection::Read& read) noexcept;
  [[gnu::noinline]] bool read_behind(Connection::Read& read) noexcept;
  void hand_over(const protocol::Event& event, Connection::Read& read) noexcept;
  bool had_enough() const noexcept { return delivered_ >= fair_bytes; }
  void listen() noexcept;
  void release_message() noexcept {
    holding_ = false;
    if (held_block_) [[unlikely]]
      give_back_held();
  }
  void give_back_held() noexcept;
  void release_block() noexcept;
  bool has_early() const noexcept;
  std::size_t take_early(std::span<char> room) noexcept;
  void deliver(const protocol::Event& event) noexcept;
  void post_pump() noexcept;
  void wake_resting() noexcept;

  // Sending
  void output_progressed() noexcept override;
  void output_failed(int error) noexcept override;
  void send_frame(protocol::Opcode opcode, std::span<const char> payload, bool fin = true) noexcept;
  void answer_ping(std::span<const char> payload) noexcept;
  void forget_pong() noexcept;
  void send_close(CloseCode code, std::string_view reason) noexcept;

  // Extras
  template <typename Function>
  void for_each_outbox(const Function& function) noexcept;
  void deliver_outboxes() noexcept;
  void deliver_outboxes_to_the_end() noexcept;
  void detach_outboxes() noexcept;
  void post_admission() noexcept;
  void admit_held() noexcept;
  void dismiss_held() noexcept;
  void refuse_large() noexcept;
  void note_heard() noexcept;
  void observe_ping(std::span<const char> payload) noexcept;
  void observe_pong(std::span<const char> payload) noexcept;
  void observe_close() noexcept;
  template <typename Observer, typename Argument>
  void tell_observer(Observer& observer, const Argument& argument) noexcept;
  Duration ping_interval() const noexcept;
  Duration ping_timeout() const noexcept;
  void measured(Duration round_trip) noexcept;

  // Time
  void expired() noexcept override;
  void watch() noexcept;
  void send_ping(bool keepalive) noexcept;
  void begin_silence() noexcept;
  void pong_received(std::span<const char> payload) noexcept;

  // Ending
  void drain() noexcept override;
  void abandon() noexcept override;
  void fail(CloseCode code, std::string_view reason) noexcept;
  void end(CloseCode code, std::string_view reason, ClosedBy by) noexcept;
  void let_go() noexcept;
  void end_observation() noexcept;
  ConnectionFacts facts(const Observation& observation) const noexcept;
  void tell_waiters() noexcept;
  static void remove(detail::WaitNode*& list, detail::WaitNode& node) noexcept;

  Loop& loop_;
  StreamPointer stream_;
  std::shared_ptr<const ConnectionSettings> settings_;
  protocol::Session session_;
  Output output_;

  Connection::Read* reader_ = nullptr;
  protocol::Event unread_;      // a message that nobody has read: receiving has stopped
  char* held_block_ = nullptr;  // of a message in the handler's hands, when it is not the session's
  std::unique_ptr<Closing> closing_;
  std::unique_ptr<Observation> observation_;  // null: nobody observes
  std::unique_ptr<ConnectionExtras> extras_;  // null while nothing of it is used
  detail::WaitNode* pings_ = nullptr;         // oldest first
  detail::WaitNode* closings_ = nullptr;

  TimePoint idle_since_;
  TimePoint message_since_{};
  std::uint32_t messages_ = 0;  // received, to tell one under way from the next
  std::uint32_t messages_watched_ = 0;
  std::uint32_t ping_number_ = 0;  // of the last one: odd, the keepalive's; even, somebody's

  std::uint32_t references_ = 1;
  std::uint32_t delivered_ = 0;  // since the reader last suspended: see fair_bytes
  std::uint32_t written_ = 0;    // the same, since the loop last came round
  std::int16_t subprotocol_;
  std::uint32_t round_trip_ = 0;  // smoothed, in microseconds; 0: not known
  State state_ = State::open;
  StreamingOut streaming_out_ = StreamingOut::no;
  bool holding_ = false;  // a message in the handler's hands lies in the session's block
  bool has_unread_ = false;
  bool discarding_ = false;
  bool listening_ = false;
  bool pumping_ = false;
  bool settling_ = false;  // a read looks through what is not a message, or a stream has the input
  bool yielding_ = false;
  bool heard_ = false;  // since the last look of the watch
  bool moved_ = false;  // a message, either way, since then
  bool progressed_ = false;
  bool stalled_ = false;
  bool pinging_ : 1 = false;        // the keepalive waits for a sign of life
  bool output_broken_ : 1 = false;  // what waits to be sent is given up
  bool full_ = false;               // the last recv filled the room it was given
};

}  // namespace hotline::websocket
