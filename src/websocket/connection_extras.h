#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <hotline/base/clock.h>
#include <hotline/websocket/connection.h>

#include "websocket/outbox.h"

namespace hotline::websocket {

/// What few connections have, allocated when it is first needed: an idle connection pays a pointer.
struct ConnectionExtras {
  /// A message that waits until another one, which is sent in pieces, has ended.
  struct Held {
    enum class Kind : std::uint8_t { message, prepared, stream };
    Connection::Write* writer;  // null: it was cancelled, and what it had is here
    Kind kind;
    protocol::Opcode opcode;
    std::span<const char> payload;
    detail::PreparedFrame frame;
    std::string copy;
  };
  struct Keepalive {
    Duration interval;
    Duration timeout;
  };
  using Observer = std::function<void(std::string_view)>;

  std::string early;                              // received before there was a session
  std::optional<std::string> pong;                // the newest answer that waits for room
  Connection::Write* resting = nullptr;           // writes that give others a turn, oldest first
  std::vector<std::shared_ptr<Outbox>> outboxes;  // those whose senders have gone stay until empty
  int walks = 0;           // under way through `outboxes`: nothing is taken out meanwhile
  std::vector<Held> held;  // oldest first
  std::optional<TimePoint> heard_at;
  std::optional<Keepalive> keepalive;
  Observer on_ping;
  Observer on_pong;
  std::function<void(const CloseStatus&)> on_close;
};

}  // namespace hotline::websocket
