// What keeps a connection going: it never goes deaf, spins, or stands still while both ends are
// well.
#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

class ProgressTest : public ConnectionTest {};

INSTANTIATE_TEST_SUITE_P(Both, ProgressTest, ::testing::Values(Role::server, Role::client),
                         [](const auto& parameter) {
                           return parameter.param == Role::server ? "server" : "client";
                         });

TEST_P(ProgressTest, hears_on_after_a_message_that_waited_was_taken) {
  Line line{GetParam()};
  line.serve([](Connection connection) -> Task<> {
    co_await sleep(1s);
    auto message = co_await connection.read();
    co_await sleep(1h);
  });
  line.send(line.frame(text, "waits"));
  line.loop.advance(2s);
  line.send(line.frame(ping_opcode, "there?"));
  EXPECT_EQ(line.next(), "pong:there?");
  for (int i = 0; i < 200; ++i) {
    line.loop.advance(1s);
    line.send(line.frame(pong_opcode, "alive"));
    EXPECT_FALSE(line.next().starts_with("close")) << "after " << i << " s";
  }
}

TEST_P(ProgressTest, hears_a_close_after_a_message_that_waited_was_taken) {
  Line line{GetParam()};
  std::string ending;
  auto handler = [](Connection connection, std::string& out) -> Task<> {
    co_await sleep(1s);
    auto message = co_await connection.read();
    connection.discard_input();
    out = describe(co_await connection.closed());
  };
  line.loop.run(handler(line.connect(), ending));
  line.send(line.frame(text, "waits"));
  line.loop.advance(2s);
  line.send(line.close_frame(1000));
  EXPECT_EQ(line.next(), "close:1000");
  EXPECT_EQ(ending, "1000 by peer");
}

TEST_P(ProgressTest, a_read_that_yields_just_when_bytes_arrive_loses_nothing) {
  MemoryStreamOptions options;
  options.capacity = 4 << 20;
  Line line{GetParam(), {}, options};
  std::vector<std::size_t> sizes;
  auto handler = [](Connection connection, std::vector<std::size_t>& out) -> Task<> {
    while (auto message = co_await connection.read()) {
      out.push_back(message->size());
      co_await sleep(1s);
    }
  };
  line.loop.run(handler(line.connect(), sizes));
  const auto second = line.frame(binary, std::string(900'000, 'x'));
  line.send(line.frame(binary, std::string(100'000, 'y')) + second.substr(0, 1000));
  ASSERT_EQ(sizes.size(), 1u);
  // The rest is there, and before the loop comes to it the handler wakes up and reads.
  const auto transfer = line.peer->try_write({second.data() + 1000, second.size() - 1000});
  ASSERT_EQ(transfer.size, second.size() - 1000);
  line.loop.ring(1s);
  line.loop.advance(10s);
  EXPECT_EQ(sizes, (std::vector<std::size_t>{100'000, 900'000}));
}

TEST_P(ProgressTest, whoever_pushes_to_a_dead_peer_is_told) {
  Line line{GetParam()};
  int writes = 0;
  auto handler = [](Connection connection, int& count) -> Task<> {
    for (bool taken = true; taken && count < 1'000'000; ++count) {
      taken = co_await connection.write("tick");
    }
  };
  line.peer.reset();
  line.loop.run(handler(line.connect(), writes));
  EXPECT_LT(writes, 100'000) << "no more than the cork holds";
}

TEST_P(ProgressTest, whoever_pushes_to_a_fast_peer_lets_others_have_their_turn) {
  MemoryStreamOptions options;
  options.capacity = 64 << 20;  // it takes all at once
  Line line{GetParam(), {}, options};
  int turns = 0;
  auto handler = [](Connection connection) -> Task<> {
    const std::string payload(1000, 'x');
    for (int i = 0; i < 2000; ++i) co_await connection.write(payload);
  };
  std::function<void()> again = [&] {
    if (++turns < 10'000 && line.loop.waiting() > 0) line.loop->post(again);
  };
  line.loop->post(again);
  line.loop.run(handler(line.connect()));
  EXPECT_GE(turns, 4) << "the loop came round in between";
  EXPECT_LT(turns, 1000);
  for (int i = 0; i < 2000; ++i) {
    const auto frame = line.next_frame();
    ASSERT_TRUE(frame && frame->payload.size() == 1000) << i;
  }
}

TEST_P(ProgressTest, a_write_that_gives_others_a_turn_may_be_destroyed) {
  MemoryStreamOptions options;
  options.capacity = 64 << 20;
  Line line{GetParam(), {}, options};
  auto connection = line.connect();
  auto push = [](Connection& shared) -> Task<> {
    const std::string payload(60'000, 'x');
    for (int i = 0; i < 1000; ++i) co_await shared.write(payload);
  };
  {
    Turn turn{*line.loop};
    TaskGroup group;
    for (int i = 0; i < 3; ++i) group.spawn(push(connection));
    EXPECT_EQ(group.size(), 3u);
  }
  line.loop.settle();
}

TEST_P(ProgressTest, two_ends_may_push_and_read_at_once) {
  TestLoop loop;
  int received[2] = {};
  {
    auto settings = std::make_shared<ConnectionSettings>(Limits{});
    auto [here, there] = make_memory_streams(*loop);
    std::optional<Connection> ends[2];
    {
      Turn turn{*loop};
      ends[0].emplace(*new ConnectionCore{*loop, Role::server, std::move(here), settings, {}});
      ends[1].emplace(*new ConnectionCore{*loop, Role::client, std::move(there), settings, {}});
    }
    auto push = [](Connection& connection) -> Task<> {
      const std::string large(500'000, 'x');
      for (int i = 0; i < 40; ++i) co_await connection.write(large);
    };
    auto talk = [&push](Connection connection, int& count) -> Task<> {
      TaskGroup group;
      group.spawn(push(connection));
      while (auto message = co_await connection.read()) {
        if (++count == 40) break;
      }
      co_await group.join();
    };
    loop.run(talk(std::move(*ends[0]), received[0]));
    loop.run(talk(std::move(*ends[1]), received[1]));
    for (int i = 0; i < 200; ++i) loop.settle();
  }
  EXPECT_EQ(received[0], 40);
  EXPECT_EQ(received[1], 40);
  loop.advance(20s);
}

TEST_P(ProgressTest, a_slow_but_steady_peer_gets_all_of_a_large_message) {
  Line line{GetParam()};
  std::string outcome;
  auto handler = [](Connection connection, std::string& out) -> Task<> {
    const std::string large(std::size_t{4} << 20, 'x');
    const bool taken = co_await connection.write(large);
    out = taken ? "taken" : describe(connection.close_status());
  };
  line.loop.run(handler(line.connect(), outcome));
  std::vector<char> portion(20'000);
  for (int i = 0; i < 250 && outcome.empty(); ++i) {
    (void)line.peer->try_read(portion);
    line.loop.advance(1s);
  }
  EXPECT_EQ(outcome, "taken");
}

TEST_P(ProgressTest, a_drain_that_cancels_a_wait_still_closes_with_1001) {
  Line line{GetParam()};
  line.serve([](Connection given) -> Task<> {
    // As a local variable it is destroyed while the exception flies.
    const Connection connection = std::move(given);
    co_await sleep(1h);
  });
  line.loop->drain();
  EXPECT_TRUE(line.next().starts_with("close:1001"));
}

TEST_P(ProgressTest, an_idle_time_below_the_ping_interval_is_kept) {
  Limits limits;
  limits.idle_timeout = 5s;
  Line line{GetParam(), limits};
  line.serve(echo);
  int seconds = 0;
  while (seconds < 100 && !line.next().starts_with("close:1001")) {
    line.loop.advance(1s);
    ++seconds;
  }
  EXPECT_LE(seconds, 10);
}

TEST_P(ProgressTest, whoever_a_read_wakes_cannot_read_at_the_same_time) {
  Line line{GetParam()};
  std::string first;
  std::string second;
  auto reader = [](Connection& shared, std::string& out) -> Task<> {
    auto message = co_await shared.read();
    message = co_await shared.read();
    out = message ? std::string(message->text()) : "end";
  };
  auto pinger = [](Connection& shared, std::string& out) -> Task<> {
    co_await shared.ping();
    try {
      auto message = co_await shared.read();
      out = "read";
    } catch (const Error& error) {
      out = error.code() == Fault::concurrent_read ? "concurrent" : "?";
    }
  };
  auto connection = line.connect();
  line.loop.run(pinger(connection, second));
  const auto ping = line.next_frame();
  ASSERT_TRUE(ping);
  line.loop.run(reader(connection, first));
  line.send(line.frame(text, "one") + line.frame(pong_opcode, ping->payload));
  EXPECT_EQ(second, "concurrent");
  line.send(line.frame(text, "two"));
  EXPECT_EQ(first, "two");
}

}  // namespace
}  // namespace hotline::websocket
