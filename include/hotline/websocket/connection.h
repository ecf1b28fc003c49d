#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string_view>

#include <hotline/base/clock.h>
#include <hotline/base/error.h>
#include <hotline/base/task.h>
#include <hotline/net/address.h>
#include <hotline/net/segment.h>
#include <hotline/net/tls_info.h>
#include <hotline/protocol/close_status.h>
#include <hotline/protocol/message.h>
#include <hotline/websocket/prepared.h>
#include <hotline/websocket/sender.h>

namespace hotline::websocket {

using protocol::CloseCode;
using protocol::ClosedBy;
using protocol::CloseStatus;
using protocol::KeptMessage;
using protocol::Message;

class ConnectionCore;
class ReadStream;
class ReadStreamBegin;
class ReadStreamOptions;
class WriteStream;

/// Keeps a connection's core alive beyond its handle. For one loop's thread.
class CoreReference {
 public:
  CoreReference() = default;
  explicit CoreReference(ConnectionCore& core) noexcept;
  CoreReference(CoreReference&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}
  CoreReference& operator=(CoreReference&& other) noexcept {
    std::swap(core_, other.core_);
    return *this;
  }
  ~CoreReference() {
    if (core_) drop();
  }
  explicit operator bool() const noexcept { return core_ != nullptr; }
  ConnectionCore* operator->() const noexcept { return core_; }
  ConnectionCore& operator*() const noexcept { return *core_; }

 private:
  void drop() noexcept;
  ConnectionCore* core_ = nullptr;
};

/// One end of a WebSocket (RFC 6455), from the handshake to the end of the call. Movable.
///
/// Everything here happens on the loop's thread that made the connection. One coroutine reads at a
/// time; any number may write, and their messages never mix. What arrives is handled whether or not
/// anybody reads: pings are answered, a close is noticed. It stops receiving at the first message
/// that nobody has read; then TCP holds the peer back.
///
/// How a connection ends is data, not an exception: read() gives nullopt, write() false, ping()
/// nullopt, as often as they are asked, and close_status() tells who ended it and why.
///
/// Destroying a connection that is open closes it: 1000; 1001 if the server drains; 1011 if an
/// exception flies. The closing handshake goes on by itself. Coroutines that wait for it meanwhile
/// get its ending.
class [[nodiscard]] Connection {
 public:
  class Read;
  class Write;
  class WritePrepared;
  class Ping;
  class Closed;

  /// By Upgrader and Dialer.
  explicit Connection(ConnectionCore& core) noexcept;
  Connection(Connection&& other) noexcept;
  Connection& operator=(Connection&& other) noexcept;
  ~Connection();

  /// `co_await` gives std::optional<Message>: the next message, or nullopt when the connection has
  /// ended. Where a message is there already, it does not suspend. The message is valid until the
  /// next read or the connection's end. Cancelling a read consumes nothing. A second read at the
  /// same time throws Error (concurrent_read).
  [[nodiscard]] Read read() & noexcept;
  Read read() && = delete;

  /// `co_await` gives bool: the message was taken; false, the connection has ended. Suspends only
  /// while more than 64 KiB wait for a slow peer: this is the back-pressure (and, to give others a
  /// turn, once in a while). The message is taken whole before that: cancelling abandons the
  /// waiting, never the message. What is given must stay valid until the await has ended. Text must
  /// be UTF-8: else Error (invalid_text) is thrown, and nothing is sent.
  [[nodiscard]] Write write(std::string_view text) & noexcept;
  [[nodiscard]] Write write(std::span<const std::byte> binary) & noexcept;
  /// Text or binary, as the message is.
  [[nodiscard]] Write write(const Message& message) & noexcept;
  [[nodiscard]] Write write(Message&& message) & noexcept;
  [[nodiscard]] Write write(const char* text) & noexcept;
  /// The same for many connections: put into its frame once, and not copied for each.
  [[nodiscard]] WritePrepared write(const Prepared& message) & noexcept;
  template <typename T>
  Write write(T&&) && = delete;

  /// `co_await` gives a ReadStream: the next message as it arrives, in constant space and under
  /// limits of its own; an empty one when the connection has ended. What has arrived of the message
  /// already is its first piece. While nobody reads, a message over Limits::message_size waits for
  /// this; read() answers it with 1009. With <hotline/websocket/message_stream.h>. Throws Error
  /// (bad_option, concurrent_read).
  [[nodiscard]] ReadStreamBegin read_stream(const ReadStreamOptions& options) &;
  [[nodiscard]] ReadStreamBegin read_stream() &;
  ReadStreamBegin read_stream() && = delete;
  /// A message, text or binary, that is sent in pieces, as large as it likes. With
  /// <hotline/websocket/message_stream.h>. Throws Error (bad_option).
  [[nodiscard]] WriteStream write_stream(protocol::Opcode opcode);

  /// An outbox of this connection, to be written to from any thread. Each call makes one. Throws
  /// Error (bad_option).
  [[nodiscard]] Sender sender(const SenderOptions& options = {});

  /// `co_await` gives std::optional<Duration>: the round-trip time, or nullopt if the connection
  /// ended before the pong came.
  [[nodiscard]] Ping ping() & noexcept;
  Ping ping() && = delete;

  /// Sends a close frame, then waits until the peer has answered it or the grace time is over;
  /// gives the CloseStatus. Codes: 1000, 1001, 1002, 1003, 1007 to 1009, 1011 to 1014, 3000 to 4999
  /// (1010 only for clients); others throw Error (bad_option). The reason, UTF-8, is cut to 123
  /// bytes. Messages that still come are dropped. On a connection that is closing or has ended it
  /// sends nothing.
  [[nodiscard]] Closed close(CloseCode code = CloseCode::normal, std::string_view reason = {}) &;
  Closed close(CloseCode = {}, std::string_view = {}) && = delete;
  /// Waits until the connection has ended, whoever ends it; gives the CloseStatus. It does not
  /// read: where nobody reads, call discard_input() first, or a message will stand before the
  /// close.
  [[nodiscard]] Closed closed() & noexcept;
  Closed closed() && = delete;

  /// From now on messages are dropped as they come, for those that only push. Reads wait for the
  /// end.
  void discard_input() noexcept;

  /// The round-trip time, smoothed over pings and the keepalive's own: 7/8 of it and 1/8 of the
  /// newest (RFC 6298, 2); nullopt before the first pong.
  [[nodiscard]] std::optional<Duration> round_trip_time() const noexcept;
  /// When bytes of the peer last arrived, on the clock of the loop. It is watched from the first
  /// call on; that one gives the last time that the keepalive saw a message, or the beginning.
  [[nodiscard]] TimePoint last_heard();
  /// Keepalive for this connection: see Limits::ping_interval and ping_timeout, in whose place
  /// these are; they count from now. More than 0 and at most 365 days, else throws Error
  /// (bad_option).
  void set_keepalive(Duration interval, Duration timeout);

  /// Called for each ping of the peer, which is answered without it, with its payload (at most 125
  /// bytes, valid during the call). These are called on the loop's thread, from inside reads and
  /// writes perhaps; they may use the connection and even destroy it. An exception out of one
  /// closes it (1011). A new one takes the old one's place; null: none.
  void on_ping(std::function<void(std::string_view)> observer);
  /// Called for each pong, ping()'s and the keepalive's and unsolicited ones.
  void on_pong(std::function<void(std::string_view)> observer);
  /// Called once, when the connection has ended, before those who wait for it hear of it.
  void on_close(std::function<void(const CloseStatus&)> observer);

  /// How it ended; closed_by() is nobody while it is open or still closing.
  [[nodiscard]] const CloseStatus& close_status() const noexcept;
  [[nodiscard]] bool is_open() const noexcept;
  /// Of the other end and of this one; they stay known after the end.
  [[nodiscard]] const Address& remote_address() const noexcept;
  [[nodiscard]] const Address& local_address() const noexcept;
  /// What was agreed on in the handshake, or "".
  [[nodiscard]] std::string_view subprotocol() const noexcept;
  /// What the TLS handshake came to, until the connection has ended; null: it speaks no TLS.
  [[nodiscard]] const TlsInfo* tls() const noexcept;
  /// The socket, for its options; -1 where there is none or the connection has ended.
  [[nodiscard]] int descriptor() const noexcept;

  /// For what works on connections without being one.
  ConnectionCore& core() const noexcept { return *core_; }

 private:
  CoreReference core_;
  int exceptions_ = 0;
};

class [[nodiscard("co_await it")]] Connection::Read {
 public:
  explicit Read(ConnectionCore& core) noexcept : core_(core) {}
  Read(const Read&) = delete;
  Read& operator=(const Read&) = delete;
  ~Read() {
    if (keep_) abandon();
  }

  bool await_ready();
  template <hotline::detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = hotline::detail::Resumption{handle};
    suspend();
  }
  std::optional<Message> await_resume() noexcept {
    switch (found_) {
      case Found::nothing: break;
      case Found::in_block:
        return std::optional<Message>{std::in_place, opcode_, std::span{data_, size_},
                                      Message::Checked{}};
      case Found::in_body: return take_body();
    }
    return std::nullopt;
  }

 protected:
  friend class ConnectionCore;
  enum class Found : std::uint8_t { nothing, in_block, in_body };

  void suspend() noexcept;
  void abandon() noexcept;
  std::optional<Message> take_body() noexcept;

  ConnectionCore& core_;
  CoreReference keep_;
  char* data_;  // not beside its size: see Message
  protocol::Opcode opcode_;
  Found found_ = Found::nothing;
  std::size_t size_;
  hotline::detail::Resumption resumption_;
};

class [[nodiscard("co_await it")]] Connection::Write : protected hotline::detail::Segment {
 public:
  Write(ConnectionCore& core, protocol::Opcode opcode, std::span<const char> payload,
        bool checked) noexcept
      : core_(core),
        data_(payload.data()),
        kind_(static_cast<std::uint8_t>(static_cast<unsigned>(opcode) | (checked ? 0x80U : 0U))),
        size_(payload.size()) {}
  Write(const Write&) = delete;
  Write& operator=(const Write&) = delete;
  ~Write() {
    if (keep_) abandon();
  }

  bool await_ready();
  template <hotline::detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = hotline::detail::Resumption{handle};
    suspend();
  }
  bool await_resume() const noexcept { return taken_; }

 protected:
  ConnectionCore& core_;
  CoreReference keep_;
  const char* data_;   // not beside its size: see Message
  std::uint8_t kind_;  // opcode; 0x80: known to be UTF-8
  bool taken_ = false;
  bool held_ = false;  // waits for another message, which is sent in pieces
  std::size_t size_;

 private:
  friend class ConnectionCore;
  void sent() noexcept final;
  void suspend() noexcept;
  void abandon() noexcept;

  Write* next_resting_;  // while it gives others a turn
  hotline::detail::Resumption resumption_;
};

class [[nodiscard("co_await it")]] Connection::WritePrepared final : public Connection::Write {
 public:
  WritePrepared(ConnectionCore& core, const detail::PreparedFrame& frame) noexcept
      : Write(core, frame.opcode, frame.payload(), true), frame_(frame) {}

  bool await_ready();

 private:
  const detail::PreparedFrame& frame_;
};

inline Connection::Read Connection::read() & noexcept { return Read{*core_}; }

inline Connection::Write Connection::write(std::string_view text) & noexcept {
  return Write{*core_, protocol::Opcode::text, {text.data(), text.size()}, false};
}
inline Connection::Write Connection::write(const char* text) & noexcept {
  return write(std::string_view{text});
}
inline Connection::Write Connection::write(std::span<const std::byte> binary) & noexcept {
  return Write{*core_,
               protocol::Opcode::binary,
               {reinterpret_cast<const char*>(binary.data()), binary.size()},
               true};
}
inline Connection::Write Connection::write(Message&& message) & noexcept {
  return write(static_cast<const Message&>(message));
}
inline Connection::Write Connection::write(const Message& message) & noexcept {
  return Write{*core_, message.opcode(), {message.data(), message.size()}, message.is_checked()};
}

inline Connection::WritePrepared Connection::write(const Prepared& message) & noexcept {
  return WritePrepared{*core_, message.frame()};
}

namespace detail {

/// Several coroutines may wait for one thing of a connection.
class WaitNode {
 public:
  WaitNode() = default;
  WaitNode(const WaitNode&) = delete;
  WaitNode& operator=(const WaitNode&) = delete;

 protected:
  ~WaitNode() = default;

  hotline::detail::Resumption resumption_;

 private:
  friend class websocket::ConnectionCore;
  WaitNode* next_ = nullptr;
};

}  // namespace detail

class [[nodiscard("co_await it")]] Connection::Ping final : private detail::WaitNode {
 public:
  explicit Ping(ConnectionCore& core) noexcept : core_(core) {}
  ~Ping() {
    if (keep_) abandon();
  }

  bool await_ready() const noexcept { return false; }
  template <hotline::detail::TaskPromise Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    return begin(hotline::detail::Resumption{handle});
  }
  std::optional<Duration> await_resume() const noexcept { return round_trip_; }

 private:
  friend class ConnectionCore;
  bool begin(hotline::detail::Resumption resumption) noexcept;
  void abandon() noexcept;

  ConnectionCore& core_;
  CoreReference keep_;
  std::uint64_t number_ = 0;
  TimePoint sent_at_{};
  std::optional<Duration> round_trip_;
};

class [[nodiscard("co_await it")]] Connection::Closed final : private detail::WaitNode {
 public:
  explicit Closed(ConnectionCore& core) noexcept : core_(core) {}
  ~Closed() {
    if (keep_) abandon();
  }

  bool await_ready() const noexcept;
  template <hotline::detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    begin(hotline::detail::Resumption{handle});
  }
  CloseStatus await_resume() const;

 private:
  friend class ConnectionCore;
  void begin(hotline::detail::Resumption resumption) noexcept;
  void abandon() noexcept;

  ConnectionCore& core_;
  CoreReference keep_;
};

}  // namespace hotline::websocket
