// A connection whose loop ends under it.
#include "support/ended_loop.h"
#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

/// One connection on a loop that ends.
class Abandoned : public ::testing::TestWithParam<Role>, protected hotline::testing::EndedLoop {
 protected:
  void begin(Task<> (*handler)(Connection, std::string*), MemoryStreamOptions options = {}) {
    Turn turn{*loop};
    Connection connection{*new ConnectionCore{*loop, GetParam(), stream(options),
                                              std::make_shared<ConnectionSettings>(Limits{}),
                                              ConnectionCore::Origins{}}};
    group.spawn(handler(std::move(connection), &log));
  }
  std::string frame(int opcode, std::string_view payload) const {
    return GetParam() == Role::server ? from_client(opcode, payload) : from_server(opcode, payload);
  }
  void send(std::string_view bytes) { peer->try_write({bytes.data(), bytes.size()}); }
  void abandon() {
    EndedLoop::abandon();
    EXPECT_TRUE(peer->try_write(std::span<const char>{"x", 1}).failed());
  }

  std::string log;
};

INSTANTIATE_TEST_SUITE_P(, Abandoned, ::testing::Values(Role::server, Role::client),
                         [](const auto& tested) {
                           return tested.param == Role::server ? "server" : "client";
                         });

Task<> hang_up(Connection, std::string*) { co_return; }

Task<> read_on(Connection connection, std::string* log) {
  while (auto message = co_await connection.read()) *log += message->text();
  *log += describe(connection.close_status());
}

Task<> sleep_on_a_message(Connection connection, std::string*) {
  const auto message = co_await connection.read();
  co_await sleep(1h);
}

Task<> write_much(Connection connection, std::string*) {
  const bool written = co_await connection.write(std::string(50'000, 'x'));
  (void)written;
}

TEST_P(Abandoned, while_it_waits_for_the_answer_to_its_close_frame) {
  begin(hang_up);
  loop->run_ready();
  EXPECT_EQ(group.size(), 0u);
  EXPECT_EQ(loop->connections(), 1u) << "it is closing";
  abandon();
}

TEST_P(Abandoned, by_destruction_while_it_waits_for_the_answer_to_its_close_frame) {
  begin(hang_up);
  loop->run_ready();
  end();
}

TEST_P(Abandoned, before_the_step_that_it_has_posted) {
  begin(hang_up);
  end();
}

TEST_P(Abandoned, while_it_sends_what_is_left_and_the_peer_has_closed) {
  begin(write_much, {.capacity = 100});
  send(frame(close_opcode, close_payload(1000)));
  loop->run_ready();
  EXPECT_EQ(loop->connections(), 1u) << "it sends on";
  abandon();
}

TEST_P(Abandoned, by_destruction_while_it_sends_what_is_left) {
  begin(write_much, {.capacity = 100});
  send(frame(close_opcode, close_payload(1000)));
  loop->run_ready();
  end();
}

TEST_P(Abandoned, while_it_lingers) {
  begin(hang_up);
  send(frame(close_opcode, close_payload(1000)));
  loop->run_ready();
  EXPECT_EQ(loop->connections(), 1u) << "it lingers";
  abandon();
}

TEST_P(Abandoned, under_a_reader_who_is_told) {
  begin(read_on);
  loop->run_ready();
  end();
  EXPECT_EQ(log, "1006 by transport (the server has ended)");
}

TEST_P(Abandoned, under_a_handler_that_holds_a_message_and_lives_on) {
  begin(sleep_on_a_message);
  send(frame(text, "hello") + frame(text, "unread"));
  loop->run_ready();
  EXPECT_EQ(loop->blocks().taken(), 1u);
  loop->abandon_members();
  EXPECT_EQ(loop->blocks().taken(), 0u);
  end();
  EXPECT_EQ(group.size(), 1u);
}

}  // namespace
}  // namespace hotline::websocket
