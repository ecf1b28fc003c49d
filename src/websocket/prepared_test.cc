#include <hotline/websocket/prepared.h>

#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

class PreparedTest : public ConnectionTest {};

INSTANTIATE_TEST_SUITE_P(Both, PreparedTest, ::testing::Values(Role::server, Role::client),
                         [](const auto& parameter) {
                           return parameter.param == Role::server ? "server" : "client";
                         });

std::span<const std::byte> as_binary(std::string_view text) {
  return std::as_bytes(std::span<const char>{text.data(), text.size()});
}

TEST(Prepared, is_checked_and_framed_once) {
  const Prepared prepared{"text"};
  EXPECT_TRUE(prepared.is_text());
  EXPECT_EQ(prepared.text(), "text");
  EXPECT_EQ(prepared.size(), 4u);
  const Prepared copy = prepared;
  EXPECT_EQ(copy.text().data(), prepared.text().data());
  EXPECT_THROW(Prepared{"\xff"}, Error);
  EXPECT_TRUE(Prepared{as_binary("\xff")}.is_binary());
}

TEST_P(PreparedTest, goes_to_many_in_every_size) {
  for (const std::size_t size : {0, 1, 125, 126, 600, 8192, 65535, 65536, 300'000}) {
    const std::string payload(size, 'p');
    const Prepared prepared{as_binary(payload)};
    for (int receiver = 0; receiver < 3; ++receiver) {
      MemoryStreamOptions options;
      options.capacity = receiver == 0 ? 1 << 20 : 1000;
      options.largest_transfer = receiver == 2 ? 777 : 0;
      options.random_sizes = receiver == 2;
      Line line{GetParam(), {}, options};
      auto connection = line.connect();
      auto push = [](Connection& to, const Prepared& message) -> Task<> {
        const bool first = co_await to.write(message);
        const bool second = co_await to.write("behind");
        EXPECT_TRUE(first && second);
      };
      line.loop.run(push(connection, prepared));
      EXPECT_EQ(line.next(), "binary:" + payload);
      EXPECT_EQ(line.next(), "text:behind");
    }
  }
}

TEST_P(PreparedTest, a_write_waits_while_the_peer_is_slow_and_may_be_cancelled) {
  MemoryStreamOptions options;
  options.capacity = 1000;
  Line line{GetParam(), {}, options};
  auto connection = line.connect();
  int written = 0;
  auto push = [](Connection& to, int& count) -> Task<> {
    for (; count < 10; ++count) {
      const Prepared message{std::string(40'000, static_cast<char>('a' + count))};
      const bool taken = co_await to.write(message);
      (void)taken;
    }
  };
  line.loop.run(push(connection, written));
  EXPECT_EQ(written, 1);
  line.loop.cancel();  // what was taken is sent, though the Prepared has gone
  EXPECT_EQ(line.next(), "text:" + std::string(40'000, 'a'));
  EXPECT_EQ(line.next(), "text:" + std::string(40'000, 'b'));
  EXPECT_EQ(line.next(), "");
}

TEST_P(PreparedTest, a_write_to_a_connection_that_has_ended_is_false) {
  Line line{GetParam()};
  auto connection = line.connect();
  line.send(line.close_frame(1000));
  bool taken = true;
  auto push = [](Connection& to, bool& out) -> Task<> {
    const Prepared message{"late"};
    out = co_await to.write(message);
  };
  line.loop.run(push(connection, taken));
  EXPECT_FALSE(taken);
}

TEST(Prepared, is_not_copied_for_a_slow_receiver) {
  MemoryStreamOptions options;
  options.capacity = 1000;
  Line line{Role::server, {}, options};
  auto connection = line.connect();
  const Prepared prepared{std::string(20'000, 'x')};
  auto push = [](Connection& to, const Prepared& message) -> Task<> {
    const bool taken = co_await to.write(message);
    (void)taken;
  };
  line.loop.run(push(connection, prepared));
  EXPECT_EQ(prepared.frame().bytes.owners(), 2u) << "the backlog refers to it";
  EXPECT_EQ(line.next(), "text:" + std::string(20'000, 'x'));
  EXPECT_EQ(prepared.frame().bytes.owners(), 1u);
}

}  // namespace
}  // namespace hotline::websocket
