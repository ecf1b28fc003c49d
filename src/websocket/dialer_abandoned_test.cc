// A dial whose loop ends under it, before its Task does.
#include <hotline/net/task_group.h>
#include <hotline/websocket/reconnecting_dialer.h>

#include "net/loop.h"
#include "websocket/dialer_fixture.h"

namespace hotline::websocket {
namespace {

class AbandonedDial : public ::testing::Test {
 protected:
  AbandonedDial() {
    loop.emplace(LoopOptions{.logger = std::make_shared<testing::MemoryLogger>(), .clock = &clock});
  }
  ~AbandonedDial() override {
    EXPECT_FALSE(connected);
    peer.reset();
    group.cancel();
    loop.reset();
    EXPECT_EQ(live_memory_streams(), streams);
    EXPECT_EQ(hotline::detail::live_tasks, tasks);
  }

  DialerOptions options() {
    return {.connect = [this](const DialTarget&) -> Task<StreamPointer> {
      auto [ours, theirs] = make_memory_streams(*loop);
      peer = std::move(theirs);
      co_return std::move(ours);
    }};
  }
  Task<> dial(std::string url) {
    const auto how = options();
    const Dialer dialer{how};
    const auto connection = co_await dialer.dial(url);
    connected = true;
  }
  void spawn(Task<> task) {
    Turn turn{*loop};
    group.spawn(std::move(task));
    loop->run_ready();
  }
  void answer(std::string_view bytes) {
    peer->try_write({bytes.data(), bytes.size()});
    loop->run_ready();
  }
  /// Under everything that is there.
  void end() {
    peer.reset();
    loop.reset();
    EXPECT_EQ(live_memory_streams(), streams);
  }

  std::int64_t streams = live_memory_streams();
  std::int64_t tasks = hotline::detail::live_tasks;
  VirtualClock clock;
  std::optional<Loop> loop;
  StreamPointer peer;
  TaskGroup group;
  bool connected = false;
};

TEST_F(AbandonedDial, WhileItWaitsForTheAnswer) {
  spawn(dial("ws://h/"));
  end();
  EXPECT_EQ(group.size(), 1u);
}

TEST_F(AbandonedDial, WithinTheAnswer) {
  spawn(dial("ws://h/"));
  answer("HTTP/1.1 101 Swit");
  end();
}

TEST_F(AbandonedDial, WhileItWaitsForTheBodyOfARefusal) {
  spawn(dial("ws://h/"));
  answer("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nabc");
  end();
}

TEST_F(AbandonedDial, InTheTlsHandshake) {
  spawn(dial("wss://h/"));
  end();
}

TEST_F(AbandonedDial, BeforeItIsDestroyedInTime) {
  spawn(dial("wss://h/"));
  group.cancel();
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
  end();
}

TEST_F(AbandonedDial, BetweenTwoDials) {
  ReconnectingDialer dialer{"ws://h/", options()};
  spawn(
      [](ReconnectingDialer& by) -> Task<> { const auto connection = co_await by.next(); }(dialer));
  peer.reset();
  loop->run_ready();
  end();
  EXPECT_EQ(group.size(), 1u);
  group.cancel();
}

TEST_F(AbandonedDial, UnderAReconnectingDialersConnection) {
  ReconnectingDialer dialer{"ws://h/", options()};
  std::optional<Connection> connection;
  spawn([](ReconnectingDialer& by, std::optional<Connection>& to) -> Task<> {
    to = co_await by.next();
  }(dialer, connection));
  char buffer[1000];
  const auto size = peer->try_read(buffer).size;
  const std::string_view request{buffer, size};
  const std::string_view name{"Sec-WebSocket-Key: "};
  const auto key = request.substr(request.find(name) + name.size(), 24);
  answer(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Accept: " +
      protocol::accept_for(key) + "\r\n\r\n\x81\x7e");
  ASSERT_TRUE(connection && connection->is_open());
  end();
  EXPECT_FALSE(connection->is_open());
}

}  // namespace
}  // namespace hotline::websocket
