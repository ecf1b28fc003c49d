#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/protocol/frame.h>
#include <hotline/protocol/session.h>

#include "protocol/mask.h"

namespace hotline::protocol {

/// A way for bytes to arrive.
struct Delivery {
  std::string name;
  std::size_t chunk;              ///< Bytes at a time; 0 for at random.
  std::size_t block;              ///< The size of the blocks; 0 for at random.
  bool parks = false;             ///< The block is taken back after each chunk,
  bool parks_each_event = false;  ///< or after each event, whatever is left in it.
  std::size_t first_chunk = 0;    ///< If not 0, this is the first one's size.
  std::uint32_t seed = 1;
};

/// Writes events down: "text Hello", "ping x", "close 1000 bye", "failure 1002", "ended".
inline std::string written(const Event& event) {
  const std::string data{event.text()};
  const std::string code = std::to_string(static_cast<int>(event.code));
  switch (event.kind) {
    case EventKind::none: return "none";
    case EventKind::message: return (event.opcode == Opcode::text ? "text " : "binary ") + data;
    case EventKind::piece: return "piece " + data;
    case EventKind::large: return "large";
    case EventKind::ping: return "ping " + data;
    case EventKind::pong: return "pong " + data;
    case EventKind::close: return "close " + code + " " + data;
    case EventKind::failure: return "failure " + code;
    case EventKind::ended: return "ended";
  }
  return "?";
}

/// A session at the end of a wire.
class Endpoint {
 public:
  Endpoint(Role role, const SessionLimits& limits, Delivery delivery)
      : delivery_{std::move(delivery)}, random_{delivery_.seed}, session_{role, limits} {}

  Session& session() { return session_; }

  /// The events that the bytes cause.
  std::vector<std::string> receive(std::string_view bytes) {
    std::vector<std::string> events;
    std::size_t chunk = delivery_.first_chunk;
    while (!bytes.empty()) {
      if (chunk == 0) chunk = delivery_.chunk == 0 ? 1 + random_() % 700 : delivery_.chunk;
      chunk = std::min(chunk, bytes.size());
      put(bytes.substr(0, chunk), events);
      bytes.remove_prefix(chunk);
      chunk = 0;
      if (delivery_.parks) park();
    }
    return events;
  }

  std::vector<std::string> end() {
    session_.ended();
    std::vector<std::string> events;
    drain(events);
    return events;
  }

  void park() {
    ASSERT_EQ(session_.take_back(), block_.get());
    block_.reset();  // whoever still looks at it is caught by the address sanitizer
  }

 private:
  void lend() {
    const std::size_t size = delivery_.block == 0 ? 256 + random_() % 1000 : delivery_.block;
    block_ = std::make_unique<char[]>(size);
    session_.lend({block_.get(), size});
  }

  void put(std::string_view bytes, std::vector<std::string>& events) {
    while (!bytes.empty()) {
      if (session_.wants_block()) lend();
      drain(events);
      const std::span<char> room = session_.prepare();
      ASSERT_FALSE(room.empty());
      const std::size_t size = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), size);
      session_.received(size);
      bytes.remove_prefix(size);
      drain(events);
    }
  }

  void drain(std::vector<std::string>& events) {
    for (;;) {
      const Event event = session_.next_event();
      if (event.kind == EventKind::none) return;
      events.push_back(written(event));
      if (event.kind == EventKind::ended) return;
      if (event.kind == EventKind::message && random_() % 2 == 0) {
        Message message = session_.take_message(event);
        EXPECT_EQ(message.text(), event.text());
        std::ranges::fill(message.writable(), '#');  // it is the holder's to write
      }
      if (delivery_.parks_each_event && session_.has_block()) {
        park();
        lend();
      }
    }
  }

  Delivery delivery_;
  std::mt19937 random_;
  Session session_;
  std::unique_ptr<char[]> block_;
};

/// Every protocol test runs for both roles: peer() sends, us() receives. What the peer says is put
/// together from words: `text("a") + ping("b")`.
class SessionTest : public testing::TestWithParam<Role> {
 protected:
  Role us() const { return GetParam(); }
  Role peer() const { return us() == Role::client ? Role::server : Role::client; }

  std::string frame(Opcode opcode, std::string payload, bool fin = true) {
    FrameHeader header{.fin = fin, .opcode = opcode, .payload_size = payload.size()};
    if (peer() == Role::client) {
      header.key = std::bit_cast<MaskingKey>(static_cast<std::uint32_t>(random_()));
      mask(payload, *header.key);
    }
    char bytes[max_frame_header_size];
    const std::size_t size = encode(header, bytes);
    return std::string(bytes, size) + payload;
  }

  std::string text(std::string payload) { return frame(Opcode::text, std::move(payload)); }
  std::string binary(std::string payload) { return frame(Opcode::binary, std::move(payload)); }
  std::string ping(std::string payload = {}) { return frame(Opcode::ping, std::move(payload)); }
  std::string pong(std::string payload = {}) { return frame(Opcode::pong, std::move(payload)); }
  std::string begin_text(std::string part) { return frame(Opcode::text, std::move(part), false); }
  std::string begin_binary(std::string part) {
    return frame(Opcode::binary, std::move(part), false);
  }
  std::string more(std::string part) { return frame(Opcode::continuation, std::move(part), false); }
  std::string last(std::string part) { return frame(Opcode::continuation, std::move(part)); }
  std::string close() { return frame(Opcode::close, {}); }
  std::string close(std::uint16_t code, std::string_view reason = {}) {
    return frame(Opcode::close,
                 std::string{static_cast<char>(code >> 8), static_cast<char>(code & 0xFF)} +
                     std::string{reason});
  }

  /// A header put together by hand, masked as the peer must: the first byte, the seven bits of the
  /// length, and its extended form. The masking key is 0, so the payload can follow as it is.
  std::string header(int first, int length, std::string_view extended = {}) {
    const bool masks = peer() == Role::client;
    std::string bytes{static_cast<char>(first), static_cast<char>(length | (masks ? 0x80 : 0))};
    return bytes + std::string{extended} + (masks ? std::string(4, '\0') : std::string{});
  }

  using Events = std::vector<std::string>;

  /// The bytes cause these events, and then the stream's end its own, however they arrive.
  void expect(const std::string& bytes, Events events) {
    events.push_back("ended");
    for (const Delivery& delivery : deliveries(bytes.size())) {
      Endpoint endpoint{us(), limits, delivery};
      Events seen = endpoint.receive(bytes);
      for (std::string& event : endpoint.end()) seen.push_back(std::move(event));
      ASSERT_EQ(seen, events) << "delivered " << delivery.name;
    }
  }

  /// The session fails with this code when it has received so many bytes, and not before.
  void expect_failure_at(std::size_t size, const std::string& bytes, int code) {
    ASSERT_LE(size, bytes.size());
    for (const bool parks : {false, true}) {
      Endpoint endpoint{us(), limits, {.name = "", .chunk = 1, .block = 512, .parks = parks}};
      ASSERT_EQ(endpoint.receive(bytes.substr(0, size - 1)), Events{}) << "too early";
      ASSERT_EQ(endpoint.receive(bytes.substr(size - 1, 1)),
                Events{"failure " + std::to_string(code)});
      ASSERT_TRUE(endpoint.session().failed());
    }
  }

  static std::vector<Delivery> deliveries(std::size_t size) {
    const std::size_t all = std::max<std::size_t>(size, 1);
    std::vector<Delivery> ways{
        {.name = "whole", .chunk = all, .block = 65536},
        {.name = "whole, small block", .chunk = all, .block = 256},
        {.name = "byte by byte", .chunk = 1, .block = 65536},
        {.name = "byte by byte, small block", .chunk = 1, .block = 256},
        {.name = "whole, parking", .chunk = all, .block = 1024, .parks_each_event = true},
        {.name = "byte by byte, parking", .chunk = 1, .block = 300, .parks = true},
    };
    for (std::uint32_t seed = 1; seed <= 6; ++seed) {
      ways.push_back({.name = "at random",
                      .chunk = 0,
                      .block = seed % 2 == 0 ? 0U : 8192U,
                      .parks = seed % 3 == 0,
                      .parks_each_event = seed > 3,
                      .seed = seed});
    }
    if (size <= 300) {
      for (std::size_t cut = 1; cut < size; ++cut) {
        const std::string name = "cut at " + std::to_string(cut);
        ways.push_back({.name = name, .chunk = all, .block = 512, .first_chunk = cut});
        ways.push_back({.name = name + ", parking",
                        .chunk = all,
                        .block = 256,
                        .parks = true,
                        .first_chunk = cut});
      }
    }
    return ways;
  }

  SessionLimits limits;
  std::mt19937 random_{42};
};

inline std::string role_name(const testing::TestParamInfo<Role>& info) {
  return info.param == Role::client ? "AsClient" : "AsServer";
}

}  // namespace hotline::protocol

/// Makes a suite out of SessionTest: each of its tests for both roles.
#define HOTLINE_FOR_BOTH_ROLES(suite)                                                             \
  INSTANTIATE_TEST_SUITE_P(                                                                       \
      , suite, testing::Values(hotline::protocol::Role::client, hotline::protocol::Role::server), \
      hotline::protocol::role_name)
