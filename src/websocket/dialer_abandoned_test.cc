// A dial whose loop ends under it, before its Task does.
#include <hotline/websocket/reconnecting_dialer.h>

#include "support/ended_loop.h"
#include "websocket/dialer_fixture.h"

namespace hotline::websocket {
namespace {

class AbandonedDial : public ::testing::Test, protected testing::EndedLoop {
 protected:
  ~AbandonedDial() override { EXPECT_FALSE(connected); }

  DialerOptions options() {
    return {.connect = [this](const DialTarget&) -> Task<StreamPointer> { co_return stream(); }};
  }
  Task<> dial(std::string url) {
    const auto how = options();
    const Dialer dialer{how};
    const auto connection = co_await dialer.dial(url);
    connected = true;
  }
  void begin(Task<> task) {
    spawn(std::move(task));
    loop->run_ready();
  }
  void answer(std::string_view bytes) {
    peer->try_write({bytes.data(), bytes.size()});
    loop->run_ready();
  }

  bool connected = false;
};

TEST_F(AbandonedDial, WhileItWaitsForTheAnswer) {
  begin(dial("ws://h/"));
  end();
  EXPECT_EQ(group.size(), 1u);
}

TEST_F(AbandonedDial, WithinTheAnswer) {
  begin(dial("ws://h/"));
  answer("HTTP/1.1 101 Swit");
  end();
}

TEST_F(AbandonedDial, WhileItWaitsForTheBodyOfARefusal) {
  begin(dial("ws://h/"));
  answer("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nabc");
  end();
}

TEST_F(AbandonedDial, InTheTlsHandshake) {
  begin(dial("wss://h/"));
  end();
}

TEST_F(AbandonedDial, BeforeItIsDestroyedInTime) {
  begin(dial("wss://h/"));
  group.cancel();
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
  end();
}

TEST_F(AbandonedDial, BetweenTwoDials) {
  ReconnectingDialer dialer{"ws://h/", options()};
  begin(
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
  begin([](ReconnectingDialer& by, std::optional<Connection>& to) -> Task<> {
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
