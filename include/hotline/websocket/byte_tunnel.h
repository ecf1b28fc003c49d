#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <string_view>

#include <hotline/base/task.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/message_stream.h>

namespace hotline::websocket {

/// A connection as a stream of bytes in both directions: messages of either kind, as they arrive,
/// one behind the other; what is written goes as binary messages. In constant space, however large
/// the peer's messages are. Movable, but not while a read waits; on the connection's loop.
class ByteTunnel {
 public:
  /// `options` are for each message that comes.
  explicit ByteTunnel(Connection connection, const ReadStreamOptions& options = {});

  /// Waits for bytes and puts up to bytes.size() of them there: how many; 0 when the connection has
  /// been closed by one side or the other. Throws Error (connection_reset) when it was lost, or the
  /// last message with it. `bytes` stays valid until it is done; one read at a time. Cancelling
  /// consumes nothing.
  Task<std::size_t> read_some(std::span<char> bytes) &;
  Task<std::size_t> read_some(std::span<char>) && = delete;
  /// One binary message; none for no bytes. Taken and suspended as by Connection::write(): false,
  /// the connection has ended.
  Task<bool> write(std::string_view bytes) &;
  Task<bool> write(std::string_view) && = delete;

  /// For all else: to close it, and for its addresses.
  [[nodiscard]] Connection& connection() noexcept { return connection_; }

 private:
  Connection connection_;
  ReadStreamOptions options_;
  ReadStream stream_;  // the message under way
  std::optional<Message> piece_;
  std::size_t given_ = 0;  // of the piece
};

}  // namespace hotline::websocket
