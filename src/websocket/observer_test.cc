#include <hotline/websocket/observer.h>

#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/net/sleep.h>
#include <hotline/websocket/message_stream.h>
#include <hotline/websocket/sender.h>
#include <hotline/websocket/upgrader.h>

#include "http/site_fixture.h"
#include "support/frames.h"

namespace hotline::websocket {
namespace {

using namespace std::chrono_literals;
using hotline::testing::close_payload;
using hotline::testing::from_client;
using hotline::testing::take_frame;
using http::testing::Client;
using http::testing::Site;

/// Keeps what it is told, in words.
class Notes final : public ConnectionObserver {
 public:
  void opened(const ConnectionFacts& facts) noexcept override {
    lines.push_back("opened " + std::string(facts.target) + " " + std::string(facts.subprotocol));
  }
  void ended(const ConnectionRecord& record) noexcept override {
    static constexpr const char* by[] = {"nobody", "peer", "us", "transport"};
    const auto pair = [](std::uint64_t messages, std::uint64_t bytes) {
      return std::to_string(messages) + "/" + std::to_string(bytes);
    };
    lines.push_back("ended " + std::string(record.facts.target) + " " +
                    std::string(record.facts.subprotocol) + " in " +
                    pair(record.messages_received, record.bytes_received) + " out " +
                    pair(record.messages_sent, record.bytes_sent) + " after " +
                    std::to_string(record.duration / 1s) +
                    "s: " + std::to_string(static_cast<int>(record.status.code())) + " by " +
                    by[static_cast<int>(record.status.closed_by())] + " (" +
                    std::string(record.status.reason()) + ")");
  }
  void refused(const HandshakeRefusal& refusal) noexcept override {
    lines.push_back("refused " + std::string(refusal.request.target()) + " " +
                    std::to_string(static_cast<int>(refusal.status)) + " " +
                    std::string(refusal.reason) + ": " + std::string(refusal.sentence));
  }
  void round_trip(Duration duration) noexcept override {
    lines.push_back("round trip " + std::to_string(duration / 1ms) + "ms");
  }
  Traffic* traffic() noexcept override { return counts_traffic ? &sum : nullptr; }

  std::vector<std::string> take() { return std::exchange(lines, {}); }

  std::vector<std::string> lines;
  Traffic sum;
  bool counts_traffic = true;
};

using Lines = std::vector<std::string>;

class ObserverTest : public ::testing::Test {
 protected:
  void serve(Task<> (*callback)(Connection), UpgraderOptions options = {}) {
    options.observer = notes;
    options.subprotocols = {"chat"};
    site.handle("/talk", Upgrader{std::move(options)}.handler(callback));
  }
  static Task<> echo(Connection connection) {
    while (auto message = co_await connection.read()) {
      co_await connection.write(std::move(*message));
    }
  }
  static std::string handshake(std::string_view more = {}, std::string_view target = "/talk") {
    return "GET " + std::string(target) +
           " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n" +
           std::string(more) + "\r\n";
  }
  Client dial(std::string_view more = {}, std::string_view target = "/talk") {
    auto client = site.connect();
    EXPECT_TRUE(client.exchange(handshake(more, target)).starts_with("HTTP/1.1 101"));
    return client;
  }
  void hang_up(Client& client) {
    client.hang_up();
    site.loop.advance(10s);
  }

  std::shared_ptr<Notes> notes = std::make_shared<Notes>();
  Site site;
};

TEST_F(ObserverTest, hears_of_a_connection_from_its_opening_to_its_end) {
  serve(echo);
  auto client = dial("Sec-WebSocket-Protocol: chat\r\n", "/talk?room=3");
  EXPECT_EQ(notes->take(), Lines{"opened /talk?room=3 chat"});
  client.exchange(from_client(1, "hello"));
  client.exchange(from_client(2, std::string(300, 'b')) + from_client(1, ""));
  site.loop.advance(5s);
  EXPECT_EQ(notes->take(), Lines{});
  client.exchange(from_client(8, close_payload(4001, "enough")));
  EXPECT_EQ(notes->take(), Lines{"ended /talk?room=3 chat in 3/305 out 3/305 after 5s: 4001 by "
                                 "peer (enough)"});
  hang_up(client);
  EXPECT_EQ(notes->take(), Lines{}) << "once";
}

TEST_F(ObserverTest, counts_messages_as_they_come_and_go) {
  serve(echo);
  auto client = dial();
  client.exchange(from_client(1, "hello") + from_client(1, std::string(200'000, 'b')));
  EXPECT_EQ(notes->sum.messages_received, 2u);
  EXPECT_EQ(notes->sum.bytes_received, 200'005u);
  EXPECT_EQ(notes->sum.messages_sent, 2u);
  EXPECT_EQ(notes->sum.bytes_sent, 200'005u);
  hang_up(client);
}

TEST_F(ObserverTest, counts_what_is_prepared_and_what_senders_send) {
  serve([](Connection connection) -> Task<> {
    const auto sender = connection.sender();
    sender.send("from a sender");
    const Prepared prepared{"prepared"};
    co_await connection.write(prepared);
    while (auto message = co_await connection.read()) {
    }
  });
  auto client = dial();
  site.loop.settle();
  EXPECT_EQ(notes->sum.messages_sent, 2u);
  EXPECT_EQ(notes->sum.bytes_sent, 21u);
  notes->take();
  client.exchange(from_client(8, close_payload(1000, "")));
  ASSERT_EQ(notes->lines.size(), 1u);
  EXPECT_NE(notes->lines[0].find(" in 0/0 out 2/21 "), std::string::npos) << notes->lines[0];
  hang_up(client);
}

TEST_F(ObserverTest, a_message_in_pieces_is_one) {
  serve([](Connection connection) -> Task<> {
    auto from = co_await connection.read_stream();
    auto to = connection.write_stream(protocol::Opcode::text);
    while (auto piece = co_await from.read()) co_await to.write(piece->text());
    co_await to.finish();
    while (auto message = co_await connection.read()) {
    }
  });
  auto client = dial();
  client.exchange(from_client(1, "one ", false) + from_client(0, "two ", false));
  client.exchange(from_client(0, "three"));
  client.exchange(from_client(8, close_payload(1000, "")));
  EXPECT_EQ(notes->sum.messages_sent, 1u);
  EXPECT_NE(notes->lines.back().find(" in 1/13 out 1/13 "), std::string::npos)
      << notes->lines.back();
  hang_up(client);
}

TEST_F(ObserverTest, need_not_count_itself) {
  notes->counts_traffic = false;
  serve(echo);
  auto client = dial();
  client.exchange(from_client(1, "hello"));
  hang_up(client);
  EXPECT_EQ(notes->take(), (Lines{"opened /talk ",
                                  "ended /talk  in 1/5 out 1/5 after 0s: 1006 by "
                                  "transport (the peer ended the stream without "
                                  "a close frame)"}));
  EXPECT_EQ(notes->sum.messages_received, 0u);
}

TEST_F(ObserverTest, hears_who_closed_and_why) {
  serve([](Connection connection) -> Task<> {
    auto message = co_await connection.read();
    if (!message) co_return;
    co_await connection.close(protocol::CloseCode::service_restart, message->text());
  });
  auto client = dial();
  client.exchange(from_client(1, "later"));
  EXPECT_EQ(notes->take(), Lines{"opened /talk "}) << "the peer has not answered";
  client.exchange(from_client(8, close_payload(1012)));
  EXPECT_EQ(notes->take(), Lines{"ended /talk  in 1/5 out 0/0 after 0s: 1012 by us (later)"});
  auto rude = dial();
  rude.exchange(from_client(3, ""));
  EXPECT_TRUE(
      notes->take().back().starts_with("ended /talk  in 0/0 out 0/0 after 0s: 1002 by us ("));
  for (auto* each : {&client, &rude}) hang_up(*each);
}

TEST_F(ObserverTest, hears_of_what_nobody_reads) {
  serve([](Connection connection) -> Task<> {
    connection.discard_input();
    co_await connection.closed();
  });
  auto client = dial();
  client.exchange(from_client(1, "hello") + from_client(1, "?") +
                  from_client(8, close_payload(1000)));
  EXPECT_EQ(notes->take().back(), "ended /talk  in 2/6 out 0/0 after 0s: 1000 by peer ()");
  hang_up(client);
}

TEST_F(ObserverTest, hears_how_long_keepalive_pings_take) {
  serve(echo);
  auto client = dial();
  notes->take();
  site.loop.advance(20s);
  auto bytes = client.receive();
  auto ping = take_frame(bytes);
  ASSERT_TRUE(ping.has_value());
  ASSERT_EQ(ping->opcode, 9);
  const auto pong = from_client(10, ping->payload);
  site.loop.advance(70ms);
  client.exchange(from_client(10, "unasked") + pong + pong);
  ASSERT_EQ(notes->lines.size(), 1u) << "a second answer to one ping says nothing";
  EXPECT_EQ(notes->take().front(), "round trip 70ms");
  hang_up(client);
}

TEST_F(ObserverTest, hears_how_long_awaited_pings_take) {
  serve([](Connection connection) -> Task<> {
    co_await connection.ping();
    while (auto message = co_await connection.read()) {
    }
  });
  auto client = site.connect();
  auto bytes = client.exchange(handshake());
  bytes.erase(0, bytes.find("\r\n\r\n") + 4);
  auto ping = take_frame(bytes);
  ASSERT_TRUE(ping.has_value());
  site.loop.advance(70ms);
  client.exchange(from_client(10, ping->payload));
  EXPECT_EQ(notes->take(), (Lines{"opened /talk ", "round trip 70ms"}));
  hang_up(client);
}

TEST_F(ObserverTest, hears_why_a_handshake_was_refused) {
  serve(echo);
  const auto refused = [&](const std::string& request) {
    auto client = site.connect();
    client.exchange(request);
    client.hang_up();
    EXPECT_EQ(notes->lines.size(), 1u) << request;
    return notes->lines.empty() ? "" : notes->take().front();
  };
  const auto without = [&](std::string_view line) {
    auto request = handshake();
    request.erase(request.find(line), line.size());
    return request;
  };
  EXPECT_EQ(refused("POST /talk HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            "refused /talk 405 method: a WebSocket begins with GET");
  EXPECT_TRUE(refused("GET /talk HTTP/1.1\r\nHost: localhost\r\n\r\n")
                  .starts_with("refused /talk 426 not_a_websocket: "));
  EXPECT_TRUE(
      refused(without("Sec-WebSocket-Version: 13\r\n")).starts_with("refused /talk 426 version: "));
  EXPECT_TRUE(refused(without("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"))
                  .starts_with("refused /talk 400 key: "));
  EXPECT_TRUE(refused(handshake("Sec-WebSocket-Protocol: a,,b\r\n"))
                  .starts_with("refused /talk 400 subprotocols: "));
  EXPECT_TRUE(refused(handshake("Sec-WebSocket-Extensions: =\r\n"))
                  .starts_with("refused /talk 400 extensions: "));
  EXPECT_EQ(refused(handshake("Origin: http://evil.example\r\n")),
            "refused /talk 403 origin: the origin \"http://evil.example\" is not allowed at the "
            "host \"localhost\"");
}

TEST_F(ObserverTest, sees_the_beginning_of_a_long_target) {
  serve(echo);
  const std::string target = "/talk?" + std::string(1000, 'x');
  auto client = dial({}, target);
  EXPECT_EQ(notes->take(), Lines{"opened " + target.substr(0, 256) + " "});
  hang_up(client);
}

TEST_F(ObserverTest, outlives_the_server_that_is_cut_off) {
  {
    Site other;
    UpgraderOptions options;
    options.observer = notes;
    other.handle("/talk", Upgrader{std::move(options)}.handler(echo));
    auto client = other.connect();
    client.exchange(handshake());
    other.loop.cancel();
    client.hang_up();
    other.loop.advance(10s);
  }
  EXPECT_EQ(notes->lines.size(), 2u);
}

}  // namespace
}  // namespace hotline::websocket
