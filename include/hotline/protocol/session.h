#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <hotline/protocol/body_buffer.h>
#include <hotline/protocol/close_status.h>
#include <hotline/protocol/frame.h>
#include <hotline/protocol/message.h>
#include <hotline/protocol/opcode.h>

namespace hotline::protocol {

/// What a peer may ask for. "No limit" is not a value.
struct SessionLimits {
  /// Bytes of a message. More is answered with 1009, as soon as a declared length shows it.
  std::uint64_t message_size = std::uint64_t{1} << 20;
  /// Frames of a message. More is answered with 1008. The default lets 1 MiB come in frames of 256
  /// bytes; an empty frame costs the peer six bytes, and nobody needs a million.
  std::uint32_t fragments = 4096;
};

enum class EventKind : std::uint8_t {
  none,     ///< Nothing yet: more bytes are needed.
  message,  ///< A whole message: opcode, data.
  piece,    ///< A part of a message that comes in pieces (see stream()): opcode, data.
  large,    ///< A message is larger than the limit (see hold_large()): stream() or refuse_large().
  ping,     ///< To be answered with a pong of the same data.
  pong,     ///< data.
  close,    ///< The peer's close frame, to be answered with one unless ours has gone: code, data.
  failure,  ///< The peer broke the rules: send a close frame with code and data, and hang up.
  ended,    ///< The stream has ended. From then on every event is this one.
};

struct Event {
  EventKind kind = EventKind::none;
  Opcode opcode = Opcode::binary;         ///< Of a message or piece: text or binary.
  CloseCode code = CloseCode::no_status;  ///< Of a close or failure.
  /// The payload; of a close its reason, valid UTF-8; of a failure a few words in static storage,
  /// which are not to be written. A text message is valid UTF-8; a piece of one may end within a
  /// code point, and the pieces together are valid.
  std::span<char> data{};

  [[nodiscard]] std::string_view text() const noexcept { return {data.data(), data.size()}; }
};

/// One endpoint's whole RFC 6455 state: bytes in, events out, headers of frames to send. No I/O, no
/// clock, no throw, no allocation by a length that a peer merely declares, and linear work however
/// its input is cut. For one thread at a time.
///
/// Bytes are received into a block that the caller lends, and messages are views into it, unmasked
/// in place. A message in several frames, one that does not fit the block, and one that was under
/// way when the block was taken back, gathers in a buffer of its own, which grows with the bytes
/// received. The loop around it:
///
///     for (;;) {
///       while ((event = session.next_event()).kind != EventKind::none) { ... }
///       // may wait here, for as long as it likes, holding no block: pool.put(session.take_back())
///       if (session.wants_block()) session.lend(pool.get());
///       auto room = session.prepare();
///       n = recv(room);
///       n == 0 ? session.ended() : session.received(n);
///     }
///
/// Memory that is out is a failure too (1009).
class Session {
 public:
  static constexpr std::size_t min_block_size = 256;
  static constexpr std::size_t max_block_size = std::size_t{1} << 30;

  /// `limits` must outlive the session.
  Session(Role role, const SessionLimits& limits) noexcept : limits_{&limits}, role_{role} {}
  Session(Role role, SessionLimits&& limits) = delete;
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (streaming_) end_stream();
  }

  // ---- Receiving

  /// Whether prepare() needs a block and none is lent.
  [[nodiscard]] bool wants_block() const noexcept;
  /// Lends a block of min_block_size to max_block_size bytes, until take_back(). None may be lent
  /// now. What take_back() had copied out is copied in again: if holds_bytes(), there may be events
  /// in it.
  void lend(std::span<char> block) noexcept;
  /// Gives the block's address back, or null if none is lent. Ends the last event's data, though it
  /// touches no byte of the block: a caller that keeps the block as it is may go on reading them.
  /// What was not yet parsed is copied out, so that nothing here refers to the block any more.
  char* take_back() noexcept;
  /// Whether a block is lent.
  [[nodiscard]] bool has_block() const noexcept { return block_ != nullptr; }
  /// Whether there are received bytes which no event has accounted for yet, a partial frame's among
  /// them, in the block or copied out of it. (Those in a large message's own buffer do not count.)
  [[nodiscard]] bool holds_bytes() const noexcept;

  /// Where to receive next: the block's free part, its content moved to the front if need be, or
  /// the buffer of a large message. Never empty if next_event() has given `none` since bytes last
  /// arrived or were copied in. Needs a block if wants_block(). Ends the last event's data. Between
  /// this and received() nothing else is called.
  [[nodiscard]] std::span<char> prepare() noexcept;
  /// As prepare(), but leaves the bytes of earlier events alone: for receiving on while a message
  /// in the block is in somebody's hands (blocks must then all have one size). Empty if there is no
  /// room behind them; then take_back() and lend() another.
  [[nodiscard]] std::span<char> prepare_behind() noexcept;
  /// So many bytes were written to the front of what prepare() gave last.
  void received(std::size_t size) noexcept;
  /// The stream has ended: no more bytes will come.
  void ended() noexcept { ended_ = true; }

  /// The next event, in the order of the bytes. Ends the last event's data (but does not touch what
  /// of it lies in the block). After a failure or the peer's close what comes is dropped unread.
  /// After our own close messages and pings are dropped, and the peer's close is reported still.
  [[nodiscard]] Event next_event() noexcept;
  /// A message of fewer than 126 bytes in one frame. Small enough to be returned in registers.
  struct Small {
    char* data = nullptr;
    std::uint32_t size = 0;
    Opcode opcode = Opcode::binary;
  };
  /// The quick way of next_event() where the next event is a small message that has come whole.
  /// Null data: it is not, and nothing has happened; call next_event().
  [[nodiscard]] inline Small next_small() noexcept;
  /// The message of the event just returned: takes over its buffer if it has one.
  [[nodiscard]] Message take_message(const Event& event) noexcept {
    return take_message(event.opcode, event.data);
  }
  /// Whether the message event just returned lies in a buffer of its own.
  [[nodiscard]] bool owns_message() const noexcept { return body_complete_; }
  [[nodiscard]] Message take_message(Opcode opcode, std::span<char> data) noexcept {
    if (!body_complete_) [[likely]] {
      return Message{opcode, data, Message::Checked{}};
    }
    body_complete_ = false;
    return Message{opcode, std::move(body_), Message::Checked{}};
  }

  // ---- Messages in pieces

  /// The message under way, or else the next one, comes in pieces and in constant space: as soon as
  /// its header is here, with what has arrived (perhaps nothing), then as bytes arrive. Behind the
  /// last piece message_under_way() is false. `message_size` takes the place of the limit, and for
  /// each 256 bytes one more fragment is allowed. While a message is skipped (stop_streaming()) it
  /// is the one behind it. False: memory is out.
  [[nodiscard]] bool stream(std::uint64_t message_size) noexcept;
  /// Whole messages again: the message under way is gathered, if no piece of it was given; else the
  /// rest of it is dropped as it comes, and its limits hold still.
  void stop_streaming() noexcept;
  /// Whether some pieces of a message were given, and others will be.
  [[nodiscard]] bool gives_pieces() const noexcept;
  /// From now on a whole message over the limit is no failure but a `large` event, again and again
  /// until it is decided what becomes of it.
  void hold_large() noexcept { holds_large_ = true; }
  /// The failure that it is without hold_large().
  [[nodiscard]] Event refuse_large() noexcept;

  // ---- Sending

  /// The header of a frame with FIN; a client's has the MASK bit and the key, and the caller masks
  /// the payload. Returns its size; 0, if a close has been sent (RFC 6455, 5.5.1) or a control
  /// frame's payload is over 125 bytes. Close frames come from close_frame().
  [[nodiscard]] std::size_t frame_header(Opcode opcode, std::size_t payload_size,
                                         std::span<char, max_frame_header_size> out,
                                         MaskingKey key = {}) const noexcept;
  /// The same for one frame of a fragmented message: the first has its opcode, the others are
  /// continuations, the last one has `fin` (RFC 6455, 5.4).
  [[nodiscard]] std::size_t fragment_header(Opcode opcode, bool fin, std::size_t payload_size,
                                            std::span<char, max_frame_header_size> out,
                                            MaskingKey key = {}) const noexcept;

  static constexpr std::size_t max_close_frame_size = 2 + 4 + max_control_payload;
  /// A whole close frame, masked for a client, and marks a close as sent. Returns its size; 0, and
  /// marks nothing, if one was sent already or this end may not send the code. no_status gives an
  /// empty payload. A reason is cut, at a code point, to 123 bytes, and before anything that is not
  /// UTF-8.
  [[nodiscard]] std::size_t close_frame(CloseCode code, std::string_view reason,
                                        std::span<char, max_close_frame_size> out,
                                        MaskingKey key = {}) noexcept;

  // ---- State

  [[nodiscard]] Role role() const noexcept { return role_; }
  [[nodiscard]] bool close_sent() const noexcept { return close_sent_; }
  [[nodiscard]] bool close_received() const noexcept { return close_received_; }
  [[nodiscard]] bool failed() const noexcept { return failed_; }
  /// Whether a message has begun and is not complete: the time it takes can be limited.
  [[nodiscard]] bool message_under_way() const noexcept;

 private:
  struct Leftover;
  struct Streamed;
  struct FreeLeftover {
    void operator()(Leftover* leftover) const noexcept;
  };

  // Where the reader is.
  enum class Place : std::uint8_t {
    header,    // before a frame
    block,     // in a frame that is a whole message and fits the block
    body,      // in a frame whose payload goes to body_
    streamed,  // in a frame of a message that comes in pieces
    dropped,   // in a frame of a message that nobody wants any more
    lost,      // out of memory, which is not reported yet
    invalid,   // behind a text that is not UTF-8, which is not reported yet
    closed,    // behind the peer's close frame, or a failure
  };
  enum class Step : std::uint8_t { event, again, starved };

  Step read_frame(Event& event) noexcept;
  Step read_control(Event& event, Opcode opcode, std::size_t header, std::size_t size) noexcept;
  Step read_close(Event& event, std::span<char> payload) noexcept;
  Step read_payload(Event& event) noexcept;
  Step read_in_block(Event& event) noexcept;
  Step read_into_body(Event& event) noexcept;
  Step drop_payload() noexcept;
  Step read_streamed(Event& event) noexcept;
  Step give_piece(Event& event, std::span<char> piece) noexcept;
  [[nodiscard]] Streamed& streamed() const noexcept;
  void end_stream() noexcept;
  void end_streamed_message() noexcept;
  Step deliver(Event& event, std::span<char> payload) noexcept;
  Step fail(Event& event, CloseCode code, std::string_view reason) noexcept;
  void stop_reading() noexcept;
  [[nodiscard]] bool accept(std::span<char> message, std::size_t done, bool last) noexcept;

  [[nodiscard]] bool receives_into_body() const noexcept;
  [[nodiscard]] std::span<char> body_room() const noexcept;
  [[nodiscard]] bool make_room(std::size_t size) noexcept;
  void move_to_body() noexcept;
  void keep_leftover() noexcept;
  bool refill() noexcept;

  const SessionLimits* limits_;  // with streaming_ it is a Streamed of our own
  char* block_ = nullptr;
  std::unique_ptr<Leftover, FreeLeftover> leftover_;  // comes behind what is in the block
  BodyBuffer body_;
  std::uint64_t payload_size_ = 0;  // of the frame under way
  std::uint64_t payload_done_ = 0;  // its bytes that are unmasked and validated
  std::uint32_t capacity_ = 0;      // of the block lent last
  std::uint32_t begin_ = 0;         // block_[begin_, end_) is received and not parsed
  std::uint32_t end_ = 0;
  std::uint32_t direct_ = 0;     // bytes received into body_ and not looked at
  std::uint32_t fragments_ = 0;  // frames of the message under way
  MaskingKey key_{};
  Role role_;
  Place place_ = Place::header;
  Opcode opcode_ = Opcode::binary;  // of the message under way
  bool fin_ : 1 = false;            // of the frame under way
  bool prepared_body_ : 1 = false;  // prepare() gave a part of body_
  bool body_complete_ : 1 = false;  // body_ is the last event's data
  bool ended_ : 1 = false;
  bool close_sent_ : 1 = false;
  bool close_received_ : 1 = false;
  bool failed_ : 1 = false;
  bool streaming_ : 1 = false;
  bool holds_large_ : 1 = false;
};

static_assert(sizeof(Session) <= 80);

}  // namespace hotline::protocol
