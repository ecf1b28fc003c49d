// A server that stops leaves nothing behind, not even what outlives its handler.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <hotline/http/server.h>
#include <hotline/net/byte_stream.h>
#include <hotline/net/task_group.h>

#include "support/descriptors.h"
#include "support/test_loop.h"

namespace hotline::http {
namespace {

using hotline::testing::open_descriptors;

// A client that asks, and then neither reads nor closes.
int call(std::uint16_t port) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  EXPECT_EQ(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::string request = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(::send(descriptor, request.data(), request.size(), 0), std::ssize(request));
  return descriptor;
}

Task<> flush(ByteStream& stream, std::size_t size) {
  const std::string bytes(size, 'x');
  const bool written = co_await stream.write(bytes);
  (void)written;
}

/// How it ends, and how much is still to be sent then (nothing: it lingers).
struct Ending {
  bool by_drain_timeout;
  std::size_t unsent;
};
class Stop : public ::testing::TestWithParam<Ending> {};

INSTANTIATE_TEST_SUITE_P(, Stop,
                         ::testing::Values(Ending{false, 0}, Ending{false, 32 << 20},
                                           Ending{true, 0}, Ending{true, 32 << 20}));

TEST_P(Stop, closes_what_has_outlived_its_handler) {
  const auto descriptors = open_descriptors();
  {
    ServerOptions options;
    options.port = 0;
    options.threads = 2;
    options.handle_signals = false;
    options.drain_timeout = std::chrono::milliseconds(30);
    options.logger = std::make_shared<hotline::testing::MemoryLogger>();
    Server server{options};
    std::atomic<int> ended = 0;
    server.handle("/", [&](Exchange exchange) -> Task<> {
      auto stream = co_await exchange.hijack();
      {
        TaskGroup group;  // leaving it abandons the waiting, not what was written
        group.spawn(flush(stream, GetParam().unsent));
      }
      ++ended;
      co_return;
    });
    server.listen();
    std::thread thread{[&] { server.run(); }};
    int callers[8];
    for (auto& caller : callers) caller = call(server.port());
    while (ended < 8) std::this_thread::yield();
    const auto open = open_descriptors();
    if (GetParam().by_drain_timeout) {
      server.drain();
    } else {
      server.stop();
    }
    thread.join();
    EXPECT_LE(open_descriptors(), open - 8) << "closed when run() returns";
    for (const int caller : callers) ::close(caller);
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

}  // namespace
}  // namespace hotline::http
