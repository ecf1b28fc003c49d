#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include <hotline/base/clock.h>
#include <hotline/net/timer.h>
#include <hotline/protocol/utf8_validator.h>
#include <hotline/websocket/connection.h>

namespace hotline::websocket {

/// What a peer may ask of a message that is read as it arrives. "No limit" is not a value: 0 is
/// reported as an error (bad_option). Not an aggregate, since g++ 12 destroys those twice that are
/// made inside a co_await expression: set its members by name.
class ReadStreamOptions {
 public:
  ReadStreamOptions() noexcept {}

  /// Bytes of the message. Beyond: 1009.
  std::uint64_t message_size = std::uint64_t{1} << 30;
  /// Bytes a second, while read() waits for the peer: slower for longer than `patience` is 1008.
  std::uint64_t rate_floor = 1024;
  /// What a fast peer has saved up, at most, and what every message begins with.
  Duration patience = std::chrono::seconds{10};
};

/// A message while it arrives: Connection::read_stream(). Movable, but not while a read waits; on
/// the connection's loop.
///
/// Control frames that come between its pieces are handled as always. Until it is complete the
/// connection's other reads are concurrent ones. Destroying it earlier skips the rest of the
/// message, as it comes, under the same byte limit and the connection's `message_time`; the
/// connection stays usable. If the connection ends, so does the stream, incomplete.
class [[nodiscard]] ReadStream {
 public:
  class Read;

  ReadStream() noexcept = default;
  ReadStream(ReadStream&& other) noexcept;
  ReadStream& operator=(ReadStream&& other) noexcept;
  ~ReadStream() { drop(); }

  /// False: the connection ended before a message began.
  explicit operator bool() const noexcept { return state_ != State::none; }
  /// Known from the start.
  [[nodiscard]] bool is_text() const noexcept { return opcode_ == protocol::Opcode::text; }
  [[nodiscard]] bool is_binary() const noexcept { return opcode_ == protocol::Opcode::binary; }
  [[nodiscard]] protocol::Opcode opcode() const noexcept { return opcode_; }

  /// `co_await` gives std::optional<Message>: the next bytes of it, at least one, valid until the
  /// next read or the stream's end; nullopt behind the last, or where the connection has ended (ask
  /// is_complete()). A piece of a text may end within a code point; bytes that cannot become UTF-8
  /// end the connection (1007), and are not given. Cancelling consumes nothing.
  [[nodiscard]] Read read() & noexcept;
  Read read() && = delete;

  /// Whether the whole message was given.
  [[nodiscard]] bool is_complete() const noexcept { return state_ == State::complete; }
  /// Bytes given so far.
  [[nodiscard]] std::uint64_t size() const noexcept { return size_; }

 private:
  friend class ReadStreamBegin;
  enum class State : std::uint8_t { none, open, complete, broken };

  ReadStream(ConnectionCore& core, protocol::Opcode opcode, const ReadStreamOptions& options)
      : core_(core), options_(options), credit_(options.patience), opcode_(opcode) {
    state_ = State::open;
  }
  void drop() noexcept;

  CoreReference core_;
  ReadStreamOptions options_;
  Duration credit_{};
  std::uint64_t size_ = 0;
  std::optional<Message> first_;  // came with the header, and was not given yet
  State state_ = State::none;
  bool last_ = false;  // what was given last, or waits in first_, ends the message
  protocol::Opcode opcode_ = protocol::Opcode::binary;
};

/// What Connection::read_stream() returns.
class [[nodiscard("co_await it")]] ReadStreamBegin final : public Connection::Read {
 public:
  ReadStreamBegin(ConnectionCore& core, const ReadStreamOptions& options) noexcept
      : Read(core), options_(options) {}
  ~ReadStreamBegin() {
    if (begun_) give_up();
  }

  bool await_ready();
  ReadStream await_resume();

 private:
  void give_up() noexcept;

  ReadStreamOptions options_;
  bool begun_ = false;
};

class [[nodiscard("co_await it")]] ReadStream::Read final : public Connection::Read,
                                                            private hotline::detail::Timer {
 public:
  explicit Read(ReadStream& stream) noexcept;

  bool await_ready();
  template <hotline::detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    Connection::Read::await_suspend(handle);
    limit_wait();
  }
  std::optional<Message> await_resume() noexcept;

 private:
  void limit_wait() noexcept;
  void expired() noexcept override;

  ReadStream& stream_;
  TimePoint since_{};
  bool waited_ = false;
};

/// A message while it is being made: Connection::write_stream(). Each write is a frame of it (RFC
/// 6455 5.4). Movable, but not while a write waits; on the connection's loop.
///
/// From its first bytes until it is finished the messages of other writers and senders wait, since
/// messages cannot interleave; control frames pass. A begun message cannot be unsent: destroying
/// the stream before finish() closes the connection (1011).
class [[nodiscard]] WriteStream {
 public:
  class Write;

  /// By Connection::write_stream().
  WriteStream(ConnectionCore& core, protocol::Opcode opcode) noexcept
      : core_(core), opcode_(opcode) {}
  WriteStream(WriteStream&& other) noexcept;
  WriteStream& operator=(WriteStream&& other) noexcept;
  ~WriteStream() { abandon(); }

  /// `co_await` gives bool: the bytes were taken; false, the connection has ended. Suspends as
  /// Connection::write() does; the bytes are taken whole before that, except while another stream
  /// of the connection is being written: then nothing of this one has begun, and cancelling sends
  /// nothing. Text may be cut anywhere, and must be UTF-8 together: else Error (invalid_text) is
  /// thrown, and nothing of this piece is sent. Throws Error (bad_option) behind finish().
  [[nodiscard]] Write write(std::string_view bytes) & noexcept;
  [[nodiscard]] Write write(std::span<const std::byte> bytes) & noexcept;
  [[nodiscard]] Write write(const char* text) & noexcept;
  /// The same with the message's last bytes, if there are any.
  [[nodiscard]] Write finish(std::string_view bytes = {}) & noexcept;
  Write write(std::string_view) && = delete;
  Write finish(std::string_view = {}) && = delete;

 private:
  void abandon() noexcept;

  CoreReference core_;
  protocol::Utf8Validator text_;
  protocol::Opcode opcode_;
  bool begun_ = false;
  bool finished_ = false;
};

class [[nodiscard("co_await it")]] WriteStream::Write final : public Connection::Write {
 public:
  Write(WriteStream& stream, std::span<const char> bytes, bool last) noexcept;

  bool await_ready();

 private:
  friend class websocket::ConnectionCore;
  bool put() noexcept;

  WriteStream& stream_;
  protocol::Utf8Validator text_;  // as it is behind these bytes
  bool last_;
};

inline ReadStream::Read::Read(ReadStream& stream) noexcept
    : Connection::Read(*stream.core_), stream_(stream) {}
inline WriteStream::Write::Write(WriteStream& stream, std::span<const char> bytes,
                                 bool last) noexcept
    : Connection::Write(*stream.core_, stream.opcode_, bytes, true), stream_(stream), last_(last) {}

inline ReadStream::Read ReadStream::read() & noexcept { return Read{*this}; }

inline WriteStream::Write WriteStream::write(std::string_view bytes) & noexcept {
  return Write{*this, {bytes.data(), bytes.size()}, false};
}
inline WriteStream::Write WriteStream::write(std::span<const std::byte> bytes) & noexcept {
  return Write{*this, {reinterpret_cast<const char*>(bytes.data()), bytes.size()}, false};
}
inline WriteStream::Write WriteStream::write(const char* text) & noexcept {
  return write(std::string_view{text});
}
inline WriteStream::Write WriteStream::finish(std::string_view bytes) & noexcept {
  return Write{*this, {bytes.data(), bytes.size()}, true};
}

}  // namespace hotline::websocket
