// Requests that somebody else's server has parsed, on streams in memory.
#include <gtest/gtest.h>

#include "websocket/upgrader_fixture.h"

namespace hotline::websocket {
namespace {

class AcceptTest : public ::testing::Test {
 protected:
  AcceptTest() {
    auto [server, own] = make_memory_streams(*loop);
    stream = std::move(server);
    client.emplace(*loop, std::move(own));
  }
  ~AcceptTest() override {
    client->hang_up();
    loop.advance(std::chrono::seconds(10));
  }

  // The sample of RFC 6455 1.3, with another field where a test wants one.
  static http::Request sample(http::Field more = {"Accept", "*/*"}) {
    http::RequestHead head;
    head.target = "/echo";
    head.fields = {
        {"Host", "localhost"},           {"Upgrade", "websocket"},
        {"Connection", "Upgrade"},       {"Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="},
        {"Sec-WebSocket-Version", "13"}, more};
    return http::Request{std::move(head)};
  }

  void accept(const http::Request& request, std::string received = {}) {
    const auto task = [](const Upgrader& own, const http::Request& asked, StreamPointer on,
                         std::string rest, bool& result) -> Task<> {
      auto connection = own.accept(asked, std::move(on), std::move(rest));
      result = connection.has_value();
      if (connection) co_await echo(std::move(*connection));
    };
    loop.run(task(upgrader, request, std::move(stream), std::move(received), accepted_it));
  }

  UpgraderOptions options;
  Upgrader upgrader;
  hotline::testing::TestLoop loop;
  StreamPointer stream;
  std::optional<Client> client;
  bool accepted_it = false;
};

TEST_F(AcceptTest, sends_the_101_and_gives_the_connection) {
  accept(sample());
  EXPECT_TRUE(accepted_it);
  EXPECT_EQ(client->receive(), accepted + "\r\n");
  EXPECT_EQ(client->exchange(from_client(1, "hello")), from_server(1, "hello"));
}

TEST_F(AcceptTest, takes_the_bytes_behind_the_request_as_the_first_of_the_session) {
  accept(sample(), from_client(1, "early") + from_client(2, "late").substr(0, 3));
  client->send(from_client(2, "late").substr(3));
  EXPECT_EQ(client->receive(),
            accepted + "\r\n" + from_server(1, "early") + from_server(2, "late"));
}

TEST_F(AcceptTest, answers_a_refusal_closes_and_logs_it) {
  accept(sample({"Origin", "http://evil.example"}));
  EXPECT_FALSE(accepted_it);
  const auto answer = client->receive();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 403 Forbidden\r\nConnection: close\r\n")) << answer;
  EXPECT_TRUE(client->ended());
  ASSERT_EQ(loop.log().lines.size(), 1u);
  EXPECT_EQ(
      loop.log().lines[0],
      "refused to upgrade /echo for -: 403, the origin \"http://evil.example\" is not allowed "
      "at the host \"localhost\"");
}

TEST_F(AcceptTest, refuses_what_our_own_parser_would_not_have_let_through) {
  accept(sample({"Host", "elsewhere"}));
  EXPECT_TRUE(client->receive().starts_with("HTTP/1.1 400"));
}

TEST_F(AcceptTest, refuses_while_the_loop_drains) {
  loop->drain();
  accept(sample());
  EXPECT_TRUE(client->receive().starts_with("HTTP/1.1 503"));
}

TEST_F(AcceptTest, needs_a_loop) {
  EXPECT_THROW((void)upgrader.accept(sample(), std::move(stream)), Error);
}

}  // namespace
}  // namespace hotline::websocket
