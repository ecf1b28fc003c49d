#pragma once

#include <atomic>
#include <cstdint>
#include <string_view>

#include <hotline/base/clock.h>
#include <hotline/http/request.h>
#include <hotline/http/status.h>
#include <hotline/net/address.h>
#include <hotline/protocol/close_status.h>

namespace hotline::websocket {

/// Who speaks, and about what. The views are valid during the call that they are passed to.
struct ConnectionFacts {
  /// As Request::client_address() has it: behind a trusted proxy, whom that spoke for.
  const Address& client_address;
  const Address& remote_address;
  const Address& local_address;
  /// Of the request that was upgraded, as sent; at most its first 256 bytes.
  std::string_view target;
  /// What was agreed on, or "".
  std::string_view subprotocol;
};

/// A connection's whole account, when it has ended.
struct ConnectionRecord {
  ConnectionFacts facts;
  /// From the 101 to the ending; what is sent and awaited behind that is not part of it.
  Duration duration;
  /// Messages, and bytes of their payload. Received ones count when they are whole, also where
  /// nobody reads them; sent ones when they are taken.
  std::uint64_t messages_received;
  std::uint64_t bytes_received;
  std::uint64_t messages_sent;
  std::uint64_t bytes_sent;
  /// Its reason was perhaps written by a stranger: escape it in a log.
  const protocol::CloseStatus& status;
};

/// A request that asked for a WebSocket and did not get it.
struct HandshakeRefusal {
  const http::Request& request;
  http::Status status;
  /// One of few words, for counting: "method", "not_a_websocket", "host", "body", "version", "key",
  /// "subprotocols", "extensions", "origin" or "draining". Static storage.
  std::string_view reason;
  /// What the client was told; what it sent itself stands in it escaped.
  std::string_view sentence;
};

/// Messages and bytes of many connections, as they come and go. One thread adds, any may read.
struct Traffic {
  using Count = std::atomic<std::uint64_t>;
  Count messages_received = 0;
  Count bytes_received = 0;
  Count messages_sent = 0;
  Count bytes_sent = 0;

  /// For the one thread that adds: cheaper than an atomic addition.
  static void add(Count& count, std::uint64_t value) noexcept {
    count.store(count.load(std::memory_order_relaxed) + value, std::memory_order_relaxed);
  }
};

/// Sees the connections that an Upgrader makes (UpgraderOptions::observer). It is called on the
/// loops' threads, on several at once: thread-safe, quick, never waiting. It is told, and cannot
/// change anything.
class ConnectionObserver {
 public:
  ConnectionObserver() = default;
  ConnectionObserver(const ConnectionObserver&) = delete;
  ConnectionObserver& operator=(const ConnectionObserver&) = delete;
  virtual ~ConnectionObserver() = default;

  /// Before anything happens on the connection.
  virtual void opened(const ConnectionFacts&) noexcept {}
  /// Once for each connection that was opened.
  virtual void ended(const ConnectionRecord&) noexcept {}
  virtual void refused(const HandshakeRefusal&) noexcept {}
  /// Of a keepalive ping, or of Connection::ping().
  virtual void round_trip(Duration) noexcept {}
  /// Asked before opened(), on the connection's thread: where that connection's messages are added
  /// up as they come and go. It must live as long as this observer, and be one thread's own. Null:
  /// nowhere.
  virtual Traffic* traffic() noexcept { return nullptr; }
};

}  // namespace hotline::websocket
