#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/base/error.h>
#include <hotline/net/deadline.h>
#include <hotline/net/memory_stream.h>
#include <hotline/net/sleep.h>
#include <hotline/net/task_group.h>
#include <hotline/websocket/connection.h>

#include "support/frames.h"
#include "support/test_loop.h"
#include "websocket/connection_core.h"

namespace hotline::websocket {

using hotline::testing::close_payload;
using hotline::testing::from_client;
using hotline::testing::from_server;
using hotline::testing::ParsedFrame;
using hotline::testing::take_frame;
using hotline::testing::TestLoop;
using namespace std::chrono_literals;
using protocol::Role;

constexpr int text = 1;
constexpr int binary = 2;
constexpr int close_opcode = 8;
constexpr int ping_opcode = 9;
constexpr int pong_opcode = 10;

/// One connection over a pair of in-memory streams; the test is the peer, and speaks raw bytes.
class Line {
 public:
  explicit Line(Role role = Role::server, Limits limits = {}, MemoryStreamOptions options = {},
                std::uint64_t seed = 1)
      : loop(seed), role_(role), settings_(std::make_shared<ConnectionSettings>(limits)) {
    auto [ours, theirs] = make_memory_streams(*loop, options);
    ours_ = std::move(ours);
    peer = std::move(theirs);
  }
  ~Line() {
    loop.cancel();
    peer.reset();
    loop.advance(10s);
  }

  /// The connection; `received` came right behind the handshake.
  Connection connect(std::string received = {}) {
    Turn turn{*loop};
    ConnectionCore::Origins origins;
    origins.received = std::move(received);
    return Connection{
        *new ConnectionCore{*loop, role_, std::move(ours_), settings_, std::move(origins)}};
  }
  /// Runs a handler with the connection, as a server does.
  void serve(Task<> (*handler)(Connection), std::string received = {}) {
    auto connection = connect(std::move(received));
    loop.run(handler(std::move(connection)));
  }

  /// A frame as the peer sends it.
  std::string frame(int opcode, std::string_view payload, bool fin = true) const {
    return role_ == Role::server ? from_client(opcode, payload, fin)
                                 : from_server(opcode, payload, fin);
  }
  std::string close_frame(int code, std::string_view reason = {}) const {
    return frame(close_opcode, close_payload(code, reason));
  }

  /// The peer sends; false if not all of it fits.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto transfer = peer->try_write({bytes.data(), bytes.size()});
      if (transfer.failed()) return false;
      bytes.remove_prefix(transfer.size);
      loop.settle();
      if (transfer.size == 0) {
        if (++blocked_ > 100) return false;
        continue;
      }
      blocked_ = 0;
    }
    return true;
  }
  /// What has arrived at the peer, read to the end.
  std::string received() {
    loop.settle();
    char buffer[4096];
    for (int idle = 0; idle < 20;) {  // a stalled stream seems to be empty
      const auto transfer = peer->try_read(buffer);
      if (transfer.size > 0) {
        bytes_.append(buffer, transfer.size);
        loop.settle();
        idle = 0;
      } else {
        ended = ended || transfer.ended();
        ++idle;
        loop.settle();
      }
    }
    return bytes_;
  }
  std::optional<ParsedFrame> next_frame() {
    received();
    auto parsed = take_frame(bytes_);
    if (parsed) {
      EXPECT_EQ(parsed->masked, role_ == Role::client) << "clients mask, servers do not (5.1)";
    }
    return parsed;
  }
  /// "text:hello", "binary:…", "ping:…", "pong:…", "close:1000 reason"; "" when nothing has come.
  std::string next() {
    const auto parsed = next_frame();
    if (!parsed) return "";
    switch (parsed->opcode) {
      case text: return "text:" + parsed->payload;
      case binary: return "binary:" + parsed->payload;
      case close_opcode:
        return "close:" + std::to_string(parsed->close_code()) +
               (parsed->payload.size() > 2 ? " " + parsed->payload.substr(2) : "");
      case ping_opcode: return "ping:" + parsed->payload;
      case pong_opcode: return "pong:" + parsed->payload;
      default: return "?";
    }
  }

  TestLoop loop;
  StreamPointer peer;
  bool ended = false;  // the peer has read to the end of the stream

 private:
  Role role_;
  std::shared_ptr<const ConnectionSettings> settings_;
  StreamPointer ours_;
  std::string bytes_;
  int blocked_ = 0;
};

inline std::string describe(const CloseStatus& status) {
  static constexpr const char* by[] = {"nobody", "peer", "us", "transport"};
  return std::to_string(static_cast<int>(status.code())) + " by " +
         by[static_cast<int>(status.closed_by())] +
         (status.reason().empty() ? "" : " (" + std::string(status.reason()) + ")");
}

/// Both ends of the line run every test.
class ConnectionTest : public ::testing::TestWithParam<Role> {};

inline Task<> echo(Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
}

}  // namespace hotline::websocket
