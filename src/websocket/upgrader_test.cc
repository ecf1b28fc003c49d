#include <hotline/websocket/upgrader.h>

#include <gtest/gtest.h>

#include "websocket/upgrader_fixture.h"

namespace hotline::websocket {
namespace {

TEST_F(UpgraderTest, answers_the_sample_of_the_rfc_to_the_byte) {
  serve();
  auto client = site.connect();
  EXPECT_EQ(client.exchange(handshake()), accepted + "\r\n");
  EXPECT_EQ(client.exchange(from_client(1, "hello")), from_server(1, "hello"));
  bye(client);
}

TEST_F(UpgraderTest, takes_bytes_right_behind_the_request_as_the_first_of_the_session) {
  serve();
  auto client = site.connect();
  EXPECT_EQ(client.exchange(handshake() + from_client(1, "early")),
            accepted + "\r\n" + from_server(1, "early"));
  bye(client);
}

TEST_F(UpgraderTest, works_byte_by_byte_and_in_one_transfer_of_the_stream_each) {
  serve();
  auto client = site.connect();
  client.send_bytewise(handshake() + from_client(2, "slow"));
  EXPECT_EQ(client.receive(), accepted + "\r\n" + from_server(2, "slow"));
  bye(client);
}

TEST_F(UpgraderTest, agrees_on_the_first_of_its_own_subprotocols_that_is_offered) {
  UpgraderOptions options;
  options.subprotocols = {"v2", "v1"};
  options.headers = {{"X-Served-By", "hotline"}};
  std::string agreed = "?";
  const Upgrader upgrader{std::move(options)};
  site.handle("/echo", upgrader.handler([&agreed](Connection connection) -> Task<> {
    agreed = connection.subprotocol();
    while (auto message = co_await connection.read()) {
    }
  }));
  auto first = site.connect();
  EXPECT_EQ(first.exchange(handshake("Sec-WebSocket-Protocol: v1, v2\r\n")),
            accepted + "Sec-WebSocket-Protocol: v2\r\nX-Served-By: hotline\r\n\r\n");
  EXPECT_EQ(agreed, "v2");
  auto second = site.connect();
  EXPECT_EQ(
      second.exchange(handshake("Sec-WebSocket-Protocol: v0\r\nSec-WebSocket-Protocol: v1\r\n")),
      accepted + "Sec-WebSocket-Protocol: v1\r\nX-Served-By: hotline\r\n\r\n");
  auto third = site.connect();
  EXPECT_EQ(third.exchange(handshake("Sec-WebSocket-Protocol: other\r\n")),
            accepted + "X-Served-By: hotline\r\n\r\n");
  EXPECT_EQ(agreed, "");
  for (auto* client : {&first, &second, &third}) bye(*client);
}

TEST_F(UpgraderTest, lets_in_pages_of_the_same_host_and_of_those_allowed) {
  UpgraderOptions options;
  options.origins = {"https://friend.example", "https://*.family.example"};
  serve(std::move(options));
  const auto status = [&](std::string_view origins) {
    auto client = site.connect();
    const auto answer = client.exchange(handshake(origins));
    if (answer.starts_with("HTTP/1.1 101")) bye(client);
    return answer.substr(9, 3);
  };
  EXPECT_EQ(status(""), "101");
  EXPECT_EQ(status("Origin: http://localhost\r\n"), "101");
  EXPECT_EQ(status("Origin: https://friend.example\r\n"), "101");
  EXPECT_EQ(status("Origin: https://a.family.example\r\n"), "101");
  EXPECT_EQ(status("Origin: http://friend.example\r\n"), "403");
  EXPECT_EQ(status("Origin: https://stranger.example\r\n"), "403");
  EXPECT_EQ(status("Origin: null\r\n"), "403");
  EXPECT_EQ(status("Origin: http://localhost\r\nOrigin: http://localhost\r\n"), "403");
}

TEST_F(UpgraderTest, names_both_hosts_of_a_foreign_origin_escaped_and_logs_it) {
  serve();
  auto client = site.connect();
  const auto answer = client.exchange(handshake("Origin: http://evil.example/\"<b>\r\n"));
  EXPECT_NE(answer.find("X-Content-Type-Options: nosniff"), std::string::npos);
  EXPECT_NE(answer.find("Content-Type: text/plain"), std::string::npos);
  EXPECT_NE(
      answer.find("\"http://evil.example/\\x22<b>\" is not allowed at the host \"localhost\""),
      std::string::npos)
      << answer;
  EXPECT_TRUE(client.ended());
  // The sites' own logger writes to stderr at warning; a refusal is told at info.
}

TEST_F(UpgraderTest, any_origin_is_let_in_only_where_it_is_spelled_out) {
  UpgraderOptions options;
  options.origins = {"any"};
  serve(std::move(options));
  auto client = site.connect();
  EXPECT_TRUE(client.exchange(handshake("Origin: null\r\n")).starts_with("HTTP/1.1 101"));
  bye(client);
}

TEST_F(UpgraderTest, asks_the_callback_where_there_is_one) {
  UpgraderOptions options;
  options.check_origin = [](const http::Request& request) {
    return request.header("Origin") == "null";
  };
  serve(std::move(options));
  auto client = site.connect();
  EXPECT_TRUE(client.exchange(handshake("Origin: null\r\n")).starts_with("HTTP/1.1 101"));
  bye(client);
  auto other = site.connect();
  EXPECT_TRUE(
      other.exchange(handshake("Origin: http://localhost\r\n")).starts_with("HTTP/1.1 403"));
}

TEST_F(UpgraderTest, a_refusal_of_an_upgrade_ends_the_connection_and_parses_nothing_behind_it) {
  serve();
  site.handle_ok();
  auto client = site.connect();
  const auto answer = client.exchange(handshake("Sec-WebSocket-Key: again\r\n") +
                                      "GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400"));
  EXPECT_EQ(answer.find("HTTP/1.1 200"), std::string::npos);
  EXPECT_TRUE(client.ended());
}

TEST_F(UpgraderTest, a_plain_request_is_told_how_to_do_it_and_may_go_on) {
  serve();
  site.handle_ok();
  auto client = site.connect();
  const auto answer = client.exchange("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 426")) << answer;
  EXPECT_NE(answer.find("\r\nUpgrade: websocket\r\n"), std::string::npos);
  EXPECT_NE(answer.find("\r\nConnection: Upgrade\r\n"), std::string::npos);
  EXPECT_TRUE(
      client.exchange("GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n").starts_with("HTTP/1.1 200"));
}

TEST_F(UpgraderTest, a_handler_may_look_at_the_request_first) {
  const Upgrader upgrader;
  site.handle("/chat/{room}", [&upgrader](http::Exchange exchange) -> Task<> {
    if (exchange.request().header("Authorization").empty()) {
      co_return co_await exchange.respond(http::Status::unauthorized, "who are you?\n");
    }
    const std::string room{exchange.request().parameter("room")};
    auto connection = co_await upgrader.upgrade(std::move(exchange));
    if (!connection) co_return;
    co_await connection->write(room);
    co_await connection->closed();
  });
  auto stranger = site.connect();
  EXPECT_TRUE(stranger.exchange(handshake("", "/chat/blue")).starts_with("HTTP/1.1 401"));
  auto friendly = site.connect();
  EXPECT_EQ(friendly.exchange(handshake("Authorization: yes\r\n", "/chat/blue")),
            accepted + "\r\n" + from_server(1, "blue"));
  bye(friendly);
}

TEST_F(UpgraderTest, a_handler_may_have_both_heads_as_they_went_over_the_wire) {
  UpgraderOptions options;
  options.headers = {{"X-Served-By", "hotline"}};
  const Upgrader upgrader{std::move(options)};
  std::string request;
  std::string response = "nothing yet";
  bool upgraded = false;
  site.handle("/heads", [&](http::Exchange exchange) -> Task<> {
    request = exchange.request().head();
    auto connection = co_await upgrader.upgrade(std::move(exchange), &response);
    upgraded = connection.has_value();
  });
  const auto refused = handshake("Sec-WebSocket-Key: again\r\n", "/heads");
  site.connect().exchange(refused);
  EXPECT_EQ(request, refused);
  EXPECT_FALSE(upgraded);
  EXPECT_EQ(response, "nothing yet");

  const auto good = handshake("X-Odd:   \xe9 \t spaced\t \r\n", "/heads");
  for (const std::string before : {"", "\r\n"}) {
    auto client = site.connect();
    client.send_bytewise(before + good);
    const auto received = client.receive_raw();
    EXPECT_EQ(request, good);
    EXPECT_TRUE(upgraded);
    EXPECT_EQ(received, response + from_server(8, close_payload(1000)));
    bye(client);
  }
}

TEST_F(UpgraderTest, an_exception_out_of_the_handler_closes_with_1011_and_is_logged) {
  const Upgrader upgrader;
  site.handle("/echo", upgrader.handler([](Connection connection) -> Task<> {
    auto message = co_await connection.read();
    throw std::runtime_error("the handler fails");
  }));
  auto client = site.connect();
  client.exchange(handshake());
  EXPECT_EQ(client.exchange(from_client(1, "x")), from_server(8, close_payload(1011)));
  EXPECT_EQ(site.loop.log().errors, 1);
  bye(client);
}

TEST(UpgraderOfADrain, says_when_to_come_back) {
  Site site{{.retry_after = std::chrono::seconds(7)}};
  const Upgrader upgrader;
  site.handle("/echo", upgrader.handler(echo));
  auto client = site.connect();
  const auto request = handshake();
  client.send(request.substr(0, 20));
  site.drain();
  const auto answer = client.exchange(request.substr(20));
  EXPECT_EQ(answer.substr(0, 12), "HTTP/1.1 503");
  EXPECT_NE(answer.find("Retry-After: 7\r\n"), std::string::npos) << answer;
}

TEST(UpgraderBehindProxy, compares_the_origin_with_the_host_that_the_client_asked_for) {
  Site site{{.trusted_proxies = {"10.0.0.1"}}};
  const Upgrader upgrader;
  site.handle("/echo", upgrader.handler(echo));
  const auto ask = [&](const char* peer, std::string_view fields) {
    auto client = site.connect_from(*Address::parse(peer, 80));
    const auto answer = client.exchange(handshake(fields));
    client.hang_up();
    site.loop.advance(std::chrono::seconds(10));
    return answer;
  };
  const std::string page = "Origin: https://chat.example:8443\r\n";
  for (const std::string told : {"X-Forwarded-Host: chat.example:8443\r\n",
                                 "Forwarded: for=192.0.2.7;host=\"chat.example:8443\"\r\n"}) {
    EXPECT_EQ(ask("10.0.0.1", page + told), accepted + "\r\n");
    EXPECT_EQ(ask("10.0.0.2", page + told).substr(0, 12), "HTTP/1.1 403") << "anybody says that";
    const auto other = ask("10.0.0.1", "Origin: https://evil.example\r\n" + told);
    EXPECT_EQ(other.substr(0, 12), "HTTP/1.1 403");
    EXPECT_NE(other.find("\"chat.example:8443\""), std::string::npos) << other;
    EXPECT_EQ(ask("10.0.0.1", "Origin: http://localhost\r\n" + told).substr(0, 12), "HTTP/1.1 403")
        << "the proxy's own name for this server is nobody's origin";
  }
}

TEST_F(UpgraderTest, a_drain_closes_connections_with_1001) {
  serve();
  auto client = site.connect();
  client.exchange(handshake());
  site.drain();
  EXPECT_EQ(client.receive(), from_server(8, close_payload(1001, "the server drains")));
  bye(client);
}

TEST_F(UpgraderTest, an_upgrade_after_an_answer_is_an_error_for_the_handler) {
  const Upgrader upgrader;
  std::string thrown;
  site.handle("/twice", [&](http::Exchange exchange) -> Task<> {
    co_await exchange.respond(http::Status::ok, "first\n");
    try {
      auto connection = co_await upgrader.upgrade(std::move(exchange));
    } catch (const Error& error) {
      thrown = error.code() == Fault::already_answered ? "already answered" : error.what();
    }
  });
  auto client = site.connect();
  EXPECT_TRUE(client.exchange(handshake("", "/twice")).starts_with("HTTP/1.1 200"));
  EXPECT_EQ(thrown, "already answered");
}

TEST(UpgraderOptions, that_cannot_work_are_reported_when_it_is_made) {
  const auto refused = [](auto change) {
    UpgraderOptions options;
    change(options);
    try {
      const Upgrader upgrader{std::move(options)};
    } catch (const Error& error) {
      return error.code() == Fault::bad_option ? std::string(error.what()) : "?";
    }
    return std::string();
  };
  EXPECT_NE(refused([](auto& o) { o.subprotocols = {"a b"}; }).find("a b"), std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.subprotocols = {"a", "a"}; }), "");
  EXPECT_NE(refused([](auto& o) { o.origins = {"example.org"}; }).find("example.org"),
            std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.limits.message_size = 0; }).find("message_size"),
            std::string::npos);
  EXPECT_NE(refused([](auto& o) { o.limits.ping_interval = std::chrono::milliseconds(0); }), "");
  EXPECT_NE(refused([](auto& o) { o.limits.idle_timeout = std::chrono::milliseconds::max(); }), "");
  EXPECT_NE(refused([](auto& o) { o.headers = {{"Bad Name", "x"}}; }), "");
  EXPECT_NE(refused([](auto& o) { o.headers = {{"X", "a\r\nb"}}; }), "");
  EXPECT_NE(refused([](auto& o) { o.headers = {{"sec-websocket-accept", "x"}}; }), "");
  EXPECT_EQ(refused([](auto&) {}), "");
}

}  // namespace
}  // namespace hotline::websocket
