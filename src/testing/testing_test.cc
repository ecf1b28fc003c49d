// The kit for users' tests, used as its users do.
#include <hotline/testing.h>

#include <cstdlib>

#include <gtest/gtest.h>

#include <hotline/base/error.h>
#include <hotline/net/sleep.h>
#include <hotline/websocket/upgrader.h>

namespace hotline::testing {
namespace {

using namespace std::chrono_literals;
using websocket::CloseCode;
using websocket::Connection;

Task<> echo(Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
}

Task<int> later(Duration duration) {
  co_await sleep(duration);
  co_return 7;
}

Task<> wait_long() { co_await sleep(1h); }

std::string joined(const std::vector<std::string>& lines) {
  std::string text;
  for (const auto& line : lines) text += line + "\n";
  return text;
}

TEST(VirtualLoop, gives_the_result_of_a_task_and_passes_on_what_it_throws) {
  VirtualLoop loop;
  EXPECT_EQ(loop.get(later(0s), 1s), 7);
  EXPECT_EQ(loop.get(later(1h), 1h), 7);
  const auto fail = []() -> Task<> {
    throw std::logic_error("mine");
    co_return;
  };
  EXPECT_THROW(loop.get(fail()), std::logic_error);
  EXPECT_THROW(loop.get(later(1h), 1min), std::logic_error);
  loop.cancel();
  EXPECT_EQ(joined(loop.end()), "");
}

TEST(VirtualLoop, says_what_is_left_of_a_test) {
  VirtualLoop loop;
  {
    const auto pair = make_pair(loop);
    EXPECT_EQ(joined(loop.end(0s)),
              "2 connections are still open (0 expected)\n"
              "2 streams are alive: some were leaked (0 expected)\n");
  }
  loop.advance(10s);
  loop.run(wait_long());
  EXPECT_EQ(joined(loop.end()), "1 tasks are still waiting (0 expected)\n");
  EXPECT_EQ(joined(loop.end()), "");
}

TEST(VirtualLoop, tells_a_drain) {
  VirtualLoop loop;
  auto [server, client] = make_pair(loop);
  loop.run(echo(std::move(server)));
  Caller caller{loop, std::move(client)};
  loop.drain();
  EXPECT_EQ(caller.status().code(), CloseCode::going_away);
  EXPECT_EQ(loop.waiting(), 0u);
}

TEST(Pair, has_the_subprotocol_and_the_limits_asked_for) {
  VirtualLoop loop;
  PairOptions options;
  options.subprotocol = "v1";
  options.server.message_size = 3;
  auto [server, client] = make_pair(loop, options);
  EXPECT_EQ(server.subprotocol(), "v1");
  EXPECT_EQ(client.subprotocol(), "v1");
  loop.run(echo(std::move(server)));
  Caller caller{loop, std::move(client)};
  caller.send("abc");
  EXPECT_EQ(caller.receive(), "abc");
  caller.send("abcd");
  EXPECT_EQ(caller.status().code(), CloseCode::message_too_big);
  EXPECT_FALSE(caller.send("abc"));
}

TEST(Caller, talks_both_kinds_and_ends_the_call) {
  VirtualLoop loop;
  {
    auto [server, client] = make_pair(loop);
    loop.run(echo(std::move(server)));
    Caller caller{loop, std::move(client)};
    EXPECT_EQ(caller.receive(), std::nullopt);
    EXPECT_TRUE(caller.send("text"));
    const std::byte bytes[] = {std::byte{0}, std::byte{255}};
    EXPECT_TRUE(caller.send(bytes));
    EXPECT_EQ(caller.receive(), "text");
    const auto message = caller.receive_message();
    ASSERT_TRUE(message);
    EXPECT_TRUE(message->is_binary());
    EXPECT_EQ(message->size(), 2u);
    EXPECT_TRUE(caller.is_open());
    EXPECT_EQ(caller.close(CloseCode{4000}, "enough").code(), CloseCode{4000});
    EXPECT_FALSE(caller.is_open());
  }
  EXPECT_EQ(joined(loop.end()), "");
}

TEST(Caller, closes_when_it_goes) {
  VirtualLoop loop;
  auto [server, client] = make_pair(loop);
  loop.run(echo(std::move(server)));
  {
    Caller caller{loop, std::move(client)};
  }
  EXPECT_EQ(loop.waiting(), 0u) << "the handler has heard of it";
  EXPECT_EQ(joined(loop.end()), "");
}

class ServerInMemory : public ::testing::Test {
 protected:
  ServerInMemory() {
    websocket::UpgraderOptions options;
    options.subprotocols = {"v1"};
    const websocket::Upgrader upgrader{std::move(options)};
    server.handle("/echo", upgrader.handler(echo));
    server.handle("/hello", [](http::Exchange exchange) -> Task<> {
      co_await exchange.respond(http::Status::ok, "hello\n");
    });
  }

  VirtualLoop loop;
  http::Server server;
};

TEST_F(ServerInMemory, is_called_without_listening) {
  CallOptions options;
  options.subprotocols = {"v0", "v1"};
  auto caller = call(loop, server, "/echo", options);
  EXPECT_EQ(caller.connection().subprotocol(), "v1");
  caller.send("hello");
  EXPECT_EQ(caller.receive(), "hello");
  loop.advance(1h);
  EXPECT_TRUE(caller.is_open()) << "it is kept alive";
}

TEST_F(ServerInMemory, says_why_a_call_is_refused) {
  CallOptions options;
  options.headers = {{"Origin", "http://evil.example"}};
  try {
    auto caller = call(loop, server, "/echo", options);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Fault::upgrade_refused);
    EXPECT_NE(std::string(error.what()).find("403 Forbidden"), std::string::npos) << error.what();
  }
}

TEST_F(ServerInMemory, answers_raw_bytes) {
  auto client = connect(loop, server);
  const std::string request = "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_NE(client.exchange(request).find("\r\n\r\nhello\n"), std::string::npos);
  client.send(request.substr(0, 10));
  EXPECT_EQ(client.receive(), "");
  EXPECT_NE(client.exchange(request.substr(10)).find("hello\n"), std::string::npos);
  client.shut_down();
  EXPECT_TRUE(client.ended());
  EXPECT_FALSE(client.was_reset());
}

// An echo on the line that a seed makes; gives what went over it.
std::string echoed(std::uint64_t seed, Resets resets) {
  VirtualLoop loop{seed};
  PairOptions options;
  options.stream = faults(seed, resets);
  options.stream.recording = std::make_shared<Recording>();
  {
    auto [server, client] = make_pair(loop, options);
    loop.run(echo(std::move(server)));
    Caller caller{loop, std::move(client)};
    std::string expected;
    for (int i = 0; i < 5; ++i) {
      const std::string text(static_cast<std::size_t>(i * 20), static_cast<char>('a' + i));
      caller.send(text);
      const auto answer = caller.receive();
      if (!answer && !caller.is_open() && resets == Resets::sometimes) break;
      if (answer != text) throw std::runtime_error("not echoed: " + text);
    }
    caller.close();
    loop.advance(10s);
  }
  if (const auto left = loop.end(); !left.empty()) throw std::runtime_error(joined(left));
  return options.stream.recording->text();
}

TEST(DialsTo, leads_a_client_of_ones_own_to_a_server_in_memory) {
  VirtualLoop loop;
  {
    http::Server server;
    const websocket::Upgrader upgrader;
    server.handle("/echo", upgrader.handler(echo));
    const websocket::Dialer dialer{{.connect = dials_to(loop, server)}};
    const auto heard = [](const websocket::Dialer& by) -> Task<std::string> {
      auto connection = co_await by.dial("ws://localhost/echo");
      co_await connection.write("hello");
      const auto message = co_await connection.read();
      co_return std::string{message->text()};
    };
    EXPECT_EQ(loop.get(heard(dialer)), "hello");
    loop.advance(10s);
  }
  EXPECT_EQ(joined(loop.end()), "");
}

TEST(Seeds, echo_whatever_the_line_is_like) {
  for_each_seed(300, [](std::uint64_t seed) { echoed(seed, Resets::never); });
}

TEST(Seeds, leave_nothing_behind_where_the_line_is_cut) {
  for_each_seed(300, [](std::uint64_t seed) { echoed(seed, Resets::sometimes); });
}

TEST(Seeds, replay_an_exchange_to_the_transfer) {
  int different = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto recorded = echoed(seed, Resets::sometimes);
    EXPECT_EQ(echoed(seed, Resets::sometimes), recorded);
    different += recorded != echoed(seed + 1000, Resets::sometimes) ? 1 : 0;
  }
  EXPECT_EQ(different, 20);
}

TEST(Seeds, are_named_where_a_test_fails_and_can_be_chosen) {
  const auto fail_at_three = [](std::uint64_t seed) {
    if (seed == 3) throw std::runtime_error("odd");
  };
  try {
    for_each_seed(5, fail_at_three);
    ADD_FAILURE();
  } catch (const std::runtime_error& error) {
    EXPECT_STREQ(error.what(), "seed 3 (HOTLINE_SEED=3 runs it alone): odd");
  }
  ASSERT_EQ(::setenv("HOTLINE_SEED", "4", 1), 0);
  std::vector<std::uint64_t> run;
  for_each_seed(5, [&](std::uint64_t seed) { run.push_back(seed); });
  ::unsetenv("HOTLINE_SEED");
  EXPECT_EQ(run, std::vector<std::uint64_t>{4});
}

}  // namespace
}  // namespace hotline::testing
