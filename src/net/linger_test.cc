#include "net/linger.h"

#include "net/net_fixture.h"

namespace hotline {
namespace {

class Linger : public ::testing::Test {
 protected:
  Linger() {
    auto pair = make_memory_streams(*loop);
    peer = std::move(pair.second);
    loop.call([&] { linger(*loop, std::move(pair.first)); });
  }
  bool lingers() { return loop->connections() == 1; }
  bool send(std::size_t size) {
    const auto bytes = pattern(size);
    const auto taken = peer->try_write(span_of(bytes)).size;
    loop.settle();
    return taken == size;
  }

  TestLoop loop;
  StreamPointer peer;
};

TEST_F(Linger, until_the_peer_has_closed) {
  EXPECT_TRUE(lingers());
  EXPECT_EQ(read_once(*peer), ".") << "nothing more comes";
  EXPECT_TRUE(send(100));
  EXPECT_TRUE(lingers());
  peer->shut_down();
  loop.settle();
  EXPECT_FALSE(lingers());
}

TEST_F(Linger, for_two_seconds) {
  loop.advance(1s);
  EXPECT_TRUE(send(100)) << "which gives no more time";
  loop.advance(999ms);
  EXPECT_TRUE(lingers());
  loop.advance(1ms);
  EXPECT_FALSE(lingers());
  EXPECT_EQ(peer->try_write(span_of("x")).error, EPIPE);
}

TEST_F(Linger, for_a_mebibyte) {
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(send(64 * 1024));
  EXPECT_TRUE(lingers());
  EXPECT_TRUE(send(1));
  EXPECT_FALSE(lingers());
}

TEST_F(Linger, through_a_drain) {
  loop.drain();
  EXPECT_TRUE(lingers());
  peer.reset();
  loop.settle();
  EXPECT_FALSE(lingers());
}

}  // namespace
}  // namespace hotline
