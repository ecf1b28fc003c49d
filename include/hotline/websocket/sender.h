#pragma once

#include <coroutine>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>

#include <hotline/base/task.h>
#include <hotline/protocol/close_status.h>
#include <hotline/websocket/prepared.h>

namespace hotline::websocket {

class Outbox;

/// What becomes of a message that finds its outbox full.
enum class Overflow : std::uint8_t {
  drop_oldest,  ///< The messages that have waited longest make room.
  drop_newest,  ///< It is not taken.
  /// A message sent with a key takes the place of the one with that key that still waits, full or
  /// not: only a key's newest value is sent. Where that makes no room, the oldest goes.
  conflate,
  disconnect,  ///< The connection is closed with 1013, and what waits is dropped.
};

/// What became of a message at the call. `dropped`: by drop_newest, or larger than the outbox.
enum class SendStatus : std::uint8_t { queued, dropped, closed };

/// "No limit" is not a value: 0 is reported as an error (bad_option).
struct SenderOptions {
  /// Messages that may wait.
  std::size_t messages = 1024;
  /// Their bytes, without what an outbox needs for itself (some 50 bytes a message).
  std::size_t bytes = std::size_t{1} << 20;
  Overflow overflow = Overflow::disconnect;
};

/// Of one outbox, since it began.
struct SenderCounters {
  std::uint64_t queued = 0;  ///< Were taken.
  std::uint64_t sent = 0;    ///< Of these: went on to the connection.
  std::uint64_t dropped =
      0;  ///< Taken and then dropped, or not taken; a closed one's do not count.
  std::uint64_t conflated = 0;  ///< Gave their place to a newer one with the same key.
  std::size_t waiting = 0;      ///< Are there now.
  std::size_t waiting_bytes = 0;
};

/// A connection's outbox: sends from any thread, never waits, and may outlive the connection. Made
/// by Connection::sender(); copies share the outbox and its limits. An empty one (default-
/// constructed) is closed.
///
/// What is sent waits until the connection's loop comes to it, and goes on to the connection while
/// no more than 64 KiB wait there for a slow peer. So a connection with a sender holds for its peer
/// at most `bytes`, 64 KiB, and one message more. What one thread sends keeps its order (but for
/// the place that a conflated message takes over); messages of Connection::write() are not ordered
/// with it. When this end closes the connection, what waits goes before the close frame.
class Sender {
 public:
  class Drained;

  Sender() noexcept = default;
  explicit Sender(std::shared_ptr<Outbox> outbox) noexcept : outbox_(std::move(outbox)) {}

  /// From any thread; copies the message (not a Prepared one). `key` is for Overflow::conflate.
  /// Throws Error (invalid_text), and sends nothing, where a text is not UTF-8.
  SendStatus send(std::string_view text, std::string_view key = {}) const;
  SendStatus send(const char* text, std::string_view key = {}) const {
    return send(std::string_view{text}, key);
  }
  SendStatus send(std::span<const std::byte> binary, std::string_view key = {}) const;
  SendStatus send(const Prepared& message, std::string_view key = {}) const;

  /// Closes the connection behind what waits, as Connection::close() does, which says what may be
  /// given; from any thread. Later messages find it closed.
  void close(protocol::CloseCode code = protocol::CloseCode::normal,
             std::string_view reason = {}) const;

  /// Whether a message would be taken: neither closed nor closing. From any thread.
  [[nodiscard]] bool is_open() const noexcept;
  /// From any thread.
  [[nodiscard]] SenderCounters counters() const;

  /// `co_await` gives bool: everything sent so far is with the system; false, the connection has
  /// ended. On the connection's loop only: elsewhere throws Error (no_runtime).
  [[nodiscard]] Drained drained() const&;
  Drained drained() const&& = delete;

 private:
  std::shared_ptr<Outbox> outbox_;
};

class [[nodiscard("co_await it")]] Sender::Drained {
 public:
  explicit Drained(std::shared_ptr<Outbox> outbox) noexcept : outbox_(std::move(outbox)) {}
  Drained(const Drained&) = delete;
  Drained& operator=(const Drained&) = delete;
  ~Drained();

  bool await_ready();
  template <hotline::detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = hotline::detail::Resumption{handle};
    begin();
  }
  bool await_resume() const noexcept { return drained_; }

 private:
  friend class Outbox;
  void begin() noexcept;

  std::shared_ptr<Outbox> outbox_;
  Drained* next_ = nullptr;
  bool waiting_ = false;
  bool drained_ = false;
  hotline::detail::Resumption resumption_;
};

}  // namespace hotline::websocket
