#pragma once

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

#include <hotline/net/memory_stream.h>

#include "net/output.h"
#include "net/socket.h"
#include "support/descriptors.h"
#include "support/test_loop.h"

namespace hotline {

using hotline::testing::MemoryLogger;
using hotline::testing::open_descriptors;
using hotline::testing::TestLoop;
using namespace std::chrono_literals;

inline std::span<const char> span_of(std::string_view text) { return {text.data(), text.size()}; }

/// Letters in which a displaced one is noticed.
inline std::string pattern(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  for (std::size_t i = 0; i < size; ++i) {
    seed = seed * 1664525 + 1013904223;
    bytes[i] = static_cast<char>('a' + (seed >> 24) % 26);
  }
  return bytes;
}

/// Whether the machine has ::1.
inline bool has_ipv6() {
  const Socket socket{::socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0)};
  sockaddr_in6 local{};
  local.sin6_family = AF_INET6;
  local.sin6_addr = in6addr_loopback;
  return ::bind(socket.get(), reinterpret_cast<const sockaddr*>(&local), sizeof local) == 0;
}

/// Whether a socket sends small pieces without delay.
inline bool sends_at_once(const Stream& stream) {
  int value = 0;
  socklen_t size = sizeof value;
  return ::getsockopt(stream.descriptor(), IPPROTO_TCP, TCP_NODELAY, &value, &size) == 0 &&
         value != 0;
}

/// A waiter that counts, and does what it is told to.
class Ear final : public Waiter {
 public:
  Ear() = default;
  explicit Ear(std::function<void()> then) : then_(std::move(then)) {}
  void ready() noexcept override {
    ++heard;
    if (then_) then_();
  }
  int heard = 0;

 private:
  std::function<void()> then_;
};

/// A timer that calls.
class Alarm final : public detail::Timer {
 public:
  explicit Alarm(std::function<void()> then = {}) : then_(std::move(then)) {}
  int rung = 0;

 private:
  void expired() noexcept override {
    ++rung;
    if (then_) then_();
  }
  std::function<void()> then_;
};

/// One read, as text; "!" and the error where it fails, "." at the end, "" where there is nothing.
inline std::string read_once(Stream& stream, std::size_t most = 4096) {
  std::string bytes(most, '\0');
  const auto transfer = stream.try_read(bytes);
  if (transfer.would_block()) return "";
  if (transfer.failed()) return "!" + std::to_string(transfer.error);
  if (transfer.ended()) return ".";
  bytes.resize(transfer.size);
  return bytes;
}

/// What can be read until there is nothing for a while; the end is a final ".".
inline std::string read_all(TestLoop& loop, Stream& stream) {
  std::string bytes;
  for (int idle = 0; idle < 30;) {  // a stalled stream seems to be empty
    const auto piece = read_once(stream, 64 * 1024);
    loop.settle();
    if (piece == "." || piece.starts_with('!')) return bytes + piece;
    bytes += piece;
    idle = piece.empty() ? idle + 1 : 0;
  }
  return bytes;
}

}  // namespace hotline
