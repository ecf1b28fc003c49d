#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hotline/http/server.h>
#include <hotline/net/memory_stream.h>
#include <hotline/testing/virtual_loop.h>
#include <hotline/websocket/connection.h>
#include <hotline/websocket/dialer.h>
#include <hotline/websocket/limits.h>

namespace hotline::testing {

/// Both ends of a connection in memory, past the handshake.
struct Pair {
  websocket::Connection server;
  websocket::Connection client;
};

struct PairOptions {
  websocket::Limits server = {};
  websocket::Limits client = {};
  MemoryStreamOptions stream = {};
  std::string subprotocol = {};
};

Pair make_pair(VirtualLoop& loop, const PairOptions& options = {});

/// The peer as the test plays it: each call lets happen what can without time passing.
class Caller {
 public:
  Caller(VirtualLoop& loop, websocket::Connection connection);
  Caller(Caller&&) noexcept;
  Caller& operator=(Caller&&) noexcept;
  /// Closes the connection with 1000 if it is open; the loop's end() sees to the rest.
  ~Caller();

  /// Text; false: the connection has ended. What the other end does not take waits.
  bool send(std::string_view text);
  bool send(std::span<const std::byte> binary);
  /// The next message, or nullopt if none has come.
  std::optional<websocket::KeptMessage> receive_message();
  /// Its bytes.
  std::optional<std::string> receive();
  /// Closes and gives the status: closed_by() is nobody while the other end has not answered.
  const websocket::CloseStatus& close(websocket::CloseCode code = websocket::CloseCode::normal,
                                      std::string_view reason = {});

  const websocket::CloseStatus& status() const;
  bool is_open() const;
  websocket::Connection& connection();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Raw bytes to a server in memory: requests by hand, and whatever is no request.
class RawClient {
 public:
  RawClient(VirtualLoop& loop, StreamPointer stream) : loop_(loop), stream_(std::move(stream)) {}

  /// False: the other end took no more.
  bool send(std::string_view bytes);
  /// What has come since the last call, and comes while it is read; at most so many bytes.
  std::string receive(std::size_t most = std::string::npos);
  /// Sends, and gives what comes back.
  std::string exchange(std::string_view bytes) {
    send(bytes);
    return receive();
  }
  /// Nothing more will be sent.
  void shut_down();
  /// Closes.
  void hang_up();
  /// Whether the other end has closed, orderly, and there is nothing more to receive.
  bool ended();
  /// Whether the line was cut.
  bool was_reset() const noexcept { return reset_; }
  StreamPointer& stream() noexcept { return stream_; }

 private:
  VirtualLoop& loop_;
  StreamPointer stream_;
  bool ended_ = false;
  bool reset_ = false;
};

/// A connection to a server that does not listen. The server is destroyed before the loop.
RawClient connect(VirtualLoop& loop, http::Server& server, const MemoryStreamOptions& options = {});

/// For DialerOptions::connect: a dial leads there, whatever its URL says (but Host says it, too). A
/// server that speaks TLS is dialled by wss. The loop and the server outlive what is dialled.
std::function<Task<StreamPointer>(const websocket::DialTarget&)> dials_to(
    VirtualLoop& loop, http::Server& server, MemoryStreamOptions options = {});

struct CallOptions {
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::vector<std::string> subprotocols = {};
  MemoryStreamOptions stream = {};
  websocket::Limits limits = {};
};

/// A WebSocket connection to a server that does not listen. Throws Error (upgrade_refused) with
/// what was answered instead of a good 101.
Caller call(VirtualLoop& loop, http::Server& server, std::string_view target,
            const CallOptions& options = {});

}  // namespace hotline::testing
