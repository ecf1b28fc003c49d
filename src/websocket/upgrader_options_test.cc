// What a program decides about the handshake.
#include <gtest/gtest.h>

#include <hotline/websocket/upgrader.h>

#include "websocket/upgrader_fixture.h"

namespace hotline::websocket {
namespace {

// What a handler with these options answers to an offer of v1 and v2, and what it learns.
std::string agreed_by(UpgraderOptions options) {
  Site site;
  std::string agreed;
  const Upgrader upgrader{std::move(options)};
  site.handle("/echo", upgrader.handler([&agreed](Connection connection) -> Task<> {
    agreed = connection.subprotocol();
    co_await connection.closed();
  }));
  auto client = site.connect();
  const auto answer =
      client.exchange(handshake("Sec-WebSocket-Protocol: v1\r\nSec-WebSocket-Protocol: v2\r\n"));
  client.hang_up();
  site.loop.advance(std::chrono::seconds(10));
  const std::string_view name = "Sec-WebSocket-Protocol: ";
  const auto at = answer.find(name);
  const auto said = at == std::string::npos
                        ? ""
                        : answer.substr(at + name.size(), answer.find('\r', at) - at - name.size());
  EXPECT_EQ(said, agreed);
  return answer.substr(9, 3) + " " + said;
}

TEST(UpgraderSubprotocol, is_chosen_by_a_callback_in_place_of_the_list) {
  UpgraderOptions options;
  options.subprotocols = {"v1"};
  options.choose_subprotocol = [](const http::Request& request) {
    return std::string(request.websocket_subprotocols().back());
  };
  EXPECT_EQ(agreed_by(options), "101 v2");
  options.subprotocols = {"v1", "v2"};
  EXPECT_EQ(agreed_by(options), "101 v2");
  options.choose_subprotocol = [](const http::Request&) { return std::string(); };
  EXPECT_EQ(agreed_by(options), "101 ");
}

TEST(UpgraderSubprotocol, that_was_not_offered_cannot_be_chosen) {
  UpgraderOptions options;
  options.choose_subprotocol = [](const http::Request&) { return std::string("v3"); };
  EXPECT_EQ(agreed_by(options), "500 ");
}

TEST_F(UpgraderTest, does_not_ask_for_a_choice_where_nothing_is_offered) {
  UpgraderOptions options;
  options.choose_subprotocol = [](const http::Request&) -> std::string { throw 1; };
  serve(std::move(options));
  auto client = site.connect();
  EXPECT_EQ(client.exchange(handshake()), accepted + "\r\n");
  bye(client);
}

TEST_F(UpgraderTest, a_handler_adds_fields_and_chooses_the_subprotocol_of_one_request) {
  UpgraderOptions options;
  options.subprotocols = {"v1", "v2"};
  const Upgrader upgrader{std::move(options)};
  std::string misuse;
  site.handle("/{choice}", [&](http::Exchange exchange) -> Task<> {
    const std::string choice{exchange.request().parameter("choice")};
    try {
      auto connection = co_await upgrader.upgrade(std::move(exchange))
                            .with("Set-Cookie", "a=1; HttpOnly")
                            .with("Set-Cookie", "b=2")
                            .with_subprotocol(choice);
      if (connection) co_await connection->closed();
    } catch (const Error& error) {
      misuse = error.what();
      throw;
    }
  });
  const std::string cookies = "Set-Cookie: a=1; HttpOnly\r\nSet-Cookie: b=2\r\n\r\n";
  const auto ask = [&](std::string_view path) {
    auto client = site.connect();
    const auto answer = client.exchange(handshake("Sec-WebSocket-Protocol: v1, v2, v3\r\n", path));
    bye(client);
    return answer;
  };
  EXPECT_EQ(ask("/v2"), accepted + "Sec-WebSocket-Protocol: v2\r\n" + cookies);
  EXPECT_EQ(ask("/v3"), accepted + "Sec-WebSocket-Protocol: v3\r\n" + cookies);
  EXPECT_TRUE(ask("/v4").starts_with("HTTP/1.1 500"));
  EXPECT_NE(misuse.find("\"v4\" was not offered"), std::string::npos) << misuse;
}

TEST_F(UpgraderTest, a_field_that_is_the_handshakes_own_or_malformed_cannot_be_added) {
  const Upgrader upgrader;
  std::vector<std::string> errors;
  site.handle("/echo", [&](http::Exchange exchange) -> Task<> {
    auto upgrading = upgrader.upgrade(std::move(exchange));
    for (const auto* name : {"sec-websocket-accept", "Connection", "a b"}) {
      try {
        upgrading.with(name, "x");
      } catch (const Error& error) {
        errors.emplace_back(error.what());
      }
    }
    auto connection = co_await upgrading;
  });
  auto client = site.connect();
  EXPECT_TRUE(client.exchange(handshake()).starts_with(accepted + "\r\n"));
  EXPECT_EQ(errors.size(), 3u);
  bye(client);
}

TEST_F(UpgraderTest, a_callback_adds_fields_to_the_101_of_a_request) {
  UpgraderOptions options;
  options.headers = {{"X-Served-By", "hotline"}};
  options.on_accepted = [](const http::Request& request, http::Response& response) {
    response.add("Set-Cookie", "from=" + std::string(request.header("X-From")));
  };
  serve(std::move(options));
  auto client = site.connect();
  EXPECT_EQ(client.exchange(handshake("X-From: here\r\n")),
            accepted + "X-Served-By: hotline\r\nSet-Cookie: from=here\r\n\r\n");
  bye(client);
}

TEST_F(UpgraderTest, a_callback_answers_refusals_in_its_own_words) {
  UpgraderOptions options;
  options.on_refused = [](const http::Request& request,
                          const Refusal& refusal) -> std::optional<http::Response> {
    if (request.header("X-Plain") == "yes") return std::nullopt;
    if (refusal.status() == http::Status::forbidden) {
      return http::Response{http::Status::not_found, "nothing here\n"};
    }
    return http::Response{refusal.status(), "{\"why\": \"" + refusal.sentence() + "\"}",
                          "application/json"};
  };
  serve(std::move(options));
  const auto ask = [&](std::string_view request) {
    auto client = site.connect();
    return client.exchange(request);
  };
  EXPECT_EQ(ask("GET /echo HTTP/1.1\r\nHost: localhost\r\n\r\n"),
            "HTTP/1.1 426 Upgrade Required\r\n"
            "Connection: Upgrade\r\n"
            "Content-Type: application/json\r\n"
            "Upgrade: websocket\r\n"
            "Content-Length: 60\r\n\r\n"
            "{\"why\": \"this is a WebSocket: connect with ws:// or wss://\"}");
  EXPECT_EQ(ask(handshake("Origin: http://evil.example\r\n")),
            "HTTP/1.1 404 Not Found\r\n"
            "Connection: close\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 13\r\n\r\n"
            "nothing here\n");
  EXPECT_TRUE(ask(handshake("Origin: http://evil.example\r\nX-Plain: yes\r\n"))
                  .starts_with("HTTP/1.1 403"));
}

TEST_F(UpgraderTest, a_callback_that_fails_is_the_handlers_failure) {
  UpgraderOptions options;
  options.on_refused = [](const http::Request&, const Refusal&) -> std::optional<http::Response> {
    return http::Response{http::Status::switching_protocols};
  };
  options.on_accepted = [](const http::Request&, http::Response& response) {
    response.add("Upgrade", "mine");
  };
  serve(std::move(options));
  auto refused = site.connect();
  EXPECT_TRUE(
      refused.exchange(handshake("Origin: http://evil.example\r\n")).starts_with("HTTP/1.1 500"));
  auto other = site.connect();
  EXPECT_TRUE(other.exchange(handshake()).starts_with("HTTP/1.1 500"));
  EXPECT_EQ(site.loop.log().errors, 2);
}

TEST_F(UpgraderTest, each_route_has_the_limits_of_its_upgrader) {
  UpgraderOptions small;
  small.limits.message_size = 10;
  const Upgrader one{std::move(small)};
  site.handle("/small", one.handler(echo));
  serve();
  const std::string message(11, 'x');
  auto first = site.connect();
  first.exchange(handshake("", "/small"));
  EXPECT_TRUE(first.exchange(from_client(1, message)).starts_with("\x88")) << "a close frame";
  auto second = site.connect();
  second.exchange(handshake());
  EXPECT_EQ(second.exchange(from_client(1, message)), from_server(1, message));
  for (auto* client : {&first, &second}) bye(*client);
}

TEST_F(UpgraderTest, tells_beforehand_whether_a_request_would_be_refused) {
  UpgraderOptions options;
  options.origins = {"https://friend.example"};
  const Upgrader upgrader{std::move(options)};
  std::string seen;
  site.handle("/", [&](http::Exchange exchange) -> Task<> {
    const auto refusal = upgrader.check(exchange.request());
    seen = refusal ? refusal->error().what() : "welcome";
    if (refusal) {
      EXPECT_EQ(refusal->reason(), "origin");
      EXPECT_TRUE(refusal->error().is(Condition::handshake_refused));
      EXPECT_EQ(Client::without_dates(refusal->bytes()),
                "HTTP/1.1 403 Forbidden\r\n"
                "Connection: close\r\n"
                "Content-Type: text/plain; charset=utf-8\r\n"
                "X-Content-Type-Options: nosniff\r\n"
                "Content-Length: " +
                    std::to_string(refusal->response().body().size()) + "\r\n\r\n" +
                    refusal->sentence() + "\n");
    }
    co_await exchange.respond(http::Status::ok, "looked\n");
  });
  auto client = site.connect();
  client.exchange(handshake("Origin: https://friend.example\r\n", "/"));
  EXPECT_EQ(seen, "welcome");
  auto other = site.connect();
  other.exchange(handshake("Origin: https://foe.example\r\n", "/"));
  EXPECT_EQ(seen,
            "403, the origin \"https://foe.example\" is not allowed at the host \"localhost\": "
            "the upgrade was refused");
}

}  // namespace
}  // namespace hotline::websocket
