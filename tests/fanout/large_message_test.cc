// A message larger than memory should be, read and written as it goes: HOTLINE_STREAM_SIZE bytes of
// it (64 MiB) through one connection, and what memory that took.
#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <hotline/hotline.h>

#include "support/raw_peer.h"

namespace hotline {
namespace {

using websocket::Connection;

/// Gives back what it hears, piece by piece.
Task<> echo(Connection connection) {
  auto from = co_await connection.read_stream();
  auto to = connection.write_stream(from.opcode());
  while (auto piece = co_await from.read()) {
    const bool taken = co_await to.write(piece->bytes());
    if (!taken) co_return;
  }
  EXPECT_TRUE(from.is_complete());
  co_await to.finish();
}

/// A figure of /proc/self/status, in KiB.
long status(const std::string& name) {
  std::ifstream file("/proc/self/status");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(name + ":")) return std::atol(line.c_str() + name.size() + 1);
  }
  return 0;
}

/// Reads frames as they come.
class Peer : public testing::RawPeer {
 public:
  using RawPeer::RawPeer;

  /// A server's frame: its length; `last` is what its FIN bit says.
  std::uint64_t header(bool& last) {
    last = (byte() & 0x80) != 0;
    const unsigned length = byte();
    if (length < 126) return length;
    std::uint64_t size = 0;
    for (int more = length == 126 ? 2 : 8; more > 0; --more) size = size << 8 | byte();
    return size;
  }
  void skip(std::uint64_t size) {
    while (size > 0) {
      if (at_ == end_) fill();
      const auto count = std::min<std::uint64_t>(size, end_ - at_);
      for (auto i = at_; i < at_ + count; i += 4096) wrong_ += buffer_[i] != 'x';
      at_ += count;
      size -= count;
    }
  }
  std::size_t wrong() const { return wrong_; }

 private:
  unsigned byte() {
    if (at_ == end_) fill();
    return static_cast<unsigned char>(buffer_[at_++]);
  }
  void fill() {
    at_ = 0;
    end_ = receive(buffer_);
    if (end_ == 0) throw std::runtime_error("the connection has ended");
  }

  char buffer_[64 * 1024];
  std::size_t at_ = 0;
  std::size_t end_ = 0;
  std::size_t wrong_ = 0;
};

TEST(LargeMessage, goes_both_ways_in_constant_space) {
  const char* const wanted = std::getenv("HOTLINE_STREAM_SIZE");
  const std::uint64_t size = wanted ? std::strtoull(wanted, nullptr, 10) : 64 << 20;
  const websocket::Upgrader upgrader;
  http::Server server{{.port = 0}};
  server.handle("/echo", upgrader.handler(echo));
  server.listen();
  std::thread thread([&] { EXPECT_EQ(server.run(), 0); });
  {
    Peer peer{server.port()};
    const auto before = status("VmRSS");
    std::thread sender([&] {
      std::string head = "\x82\xff";
      for (int shift = 56; shift >= 0; shift -= 8) head += static_cast<char>(size >> shift);
      peer.send(head + std::string(4, '\0'));  // this key leaves the bytes as they are
      const std::string piece(64 * 1024, 'x');
      for (std::uint64_t left = size; left > 0;) {
        const auto count = std::min<std::uint64_t>(left, piece.size());
        peer.send({piece.data(), count});
        left -= count;
      }
    });
    std::uint64_t received = 0;
    for (bool last = false; !last;) {
      const auto frame = peer.header(last);
      peer.skip(frame);
      received += frame;
    }
    sender.join();
    EXPECT_EQ(received, size);
    EXPECT_EQ(peer.wrong(), 0u);
    const auto grown = status("VmHWM") - before;
    std::printf("%llu MiB there and back: at most %ld KiB more than before\n",
                static_cast<unsigned long long>(size >> 20), grown);
    EXPECT_LT(grown, 4 * 1024);
  }
  server.drain();
  thread.join();
}

}  // namespace
}  // namespace hotline
