// In the steady state an echo allocates nothing, however many messages go by.
#include <atomic>
#include <cstdlib>
#include <span>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include <hotline/hotline.h>

#include "http/router.h"
#include "support/frames.h"
#include "support/raw_peer.h"

namespace {
std::atomic<long> allocations{0};
thread_local bool counted = false;
}  // namespace

// The C library's own names are weak in the program's face.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_realloc(void* from, std::size_t size);

void* malloc(std::size_t size) noexcept {
  if (counted) allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_malloc(size);
}
void* realloc(void* from, std::size_t size) noexcept {
  if (counted) allocations.fetch_add(1, std::memory_order_relaxed);
  return __libc_realloc(from, size);
}
}

namespace hotline {
namespace {

using testing::from_client;
using testing::from_server;
using testing::RawPeer;

Task<> echo(websocket::Connection connection) {
  counted = true;  // the loop's thread, from its first connection on
  void* volatile probe = malloc(1);
  std::free(probe);
  while (auto message = co_await connection.read()) {
    co_await connection.write(*message);
  }
}

void exchange(RawPeer& peer, const std::string& sent, const std::string& expected) {
  std::thread sender([&] { peer.send(sent); });  // a large batch fills both directions
  std::string got(expected.size(), '\0');
  std::size_t have = 0;
  while (have < got.size()) {
    const auto count = peer.receive(std::span{got}.subspan(have));
    if (count == 0) break;
    have += count;
  }
  sender.join();
  ASSERT_EQ(have, got.size());
  ASSERT_TRUE(got == expected);
}

struct Load {
  const char* what;
  int opcode;
  std::size_t size;
  int in_flight;
};

class Steady : public ::testing::TestWithParam<Load> {};

TEST_P(Steady, echo_allocates_nothing) {
  const auto& load = GetParam();
  const websocket::Upgrader upgrader;
  http::Server server{{.port = 0}};
  server.handle("/echo", upgrader.handler(echo));
  server.listen();
  std::thread thread([&] { EXPECT_EQ(server.run(), 0); });
  {
    RawPeer peer{server.port()};
    std::string sent;
    std::string expected;
    for (int i = 0; i < load.in_flight; ++i) {
      const std::string payload(load.size, static_cast<char>('a' + i % 26));
      sent += from_client(load.opcode, payload);
      expected += from_server(load.opcode, payload);
    }
    // The first rounds fill the pools: blocks, buffers, the loop's own recycling and lists.
    for (int i = 0; i < 100; ++i) exchange(peer, sent, expected);
    const auto before = allocations.load();
    EXPECT_GT(before, 0) << "the counter counts";
    for (int i = 0; i < 50; ++i) exchange(peer, sent, expected);
    EXPECT_EQ(allocations.load(), before);
  }
  server.drain();
  thread.join();
}

INSTANTIATE_TEST_SUITE_P(Loads, Steady,
                         ::testing::Values(Load{"one_small_text", 1, 64, 1},
                                           Load{"many_small_texts", 1, 32, 256},
                                           Load{"medium", 2, 16 * 1024, 1},
                                           Load{"large", 2, 1 << 20, 1}),
                         [](const auto& parameter) { return parameter.param.what; });

TEST(Routing, allocates_nothing) {
  http::Router router;
  for (const auto* pattern : {"/a/{x}/{rest...}", "x.org/b%20c/{y}", "/d/"}) {
    router.add(pattern, [](http::Exchange) -> Task<> { return {}; });
  }
  http::RouteMatch match;
  const auto find_all = [&] {
    for (const auto* path : {"/a/1%2F/3/4/5/6", "/b%20c/%20%20%20%20%20%20%20%20%20%20%20", "/d/q",
                             "/d/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p", "/nowhere", "/a/../d/"}) {
      router.find("GET", "X.org:80", path, match);
    }
  };
  find_all();
  const auto before = allocations.load();
  counted = true;
  void* volatile probe = malloc(1);
  find_all();
  counted = false;
  std::free(probe);
  EXPECT_EQ(allocations.load() - before, 1) << "the probe";
}

}  // namespace
}  // namespace hotline
