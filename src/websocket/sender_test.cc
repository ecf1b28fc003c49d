#include <hotline/websocket/sender.h>

#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

using enum SendStatus;

class SenderTest : public ConnectionTest {
 protected:
  // A peer that takes nothing beyond what is on its way.
  static MemoryStreamOptions narrow() {
    MemoryStreamOptions options;
    options.capacity = 1000;
    return options;
  }
  // Fills the line, so that what is sent then stays in the outbox.
  static void fill(Line& line, const Sender& sender) {
    const Prepared filling{std::as_bytes(std::span<const char>{full_.data(), full_.size()})};
    EXPECT_EQ(sender.send(filling), queued);
    line.loop.settle();
    EXPECT_EQ(sender.counters().waiting, 0u) << "it is with the connection";
  }
  // What comes behind the filling.
  static std::vector<std::string> rest(Line& line) {
    EXPECT_EQ(line.next(), "binary:" + full_);
    std::vector<std::string> messages;
    for (auto next = line.next(); !next.empty(); next = line.next()) messages.push_back(next);
    return messages;
  }
  static inline const std::string full_ = std::string(100'000, 'f');
};

using Texts = std::vector<std::string>;

INSTANTIATE_TEST_SUITE_P(Both, SenderTest, ::testing::Values(Role::server, Role::client),
                         [](const auto& parameter) {
                           return parameter.param == Role::server ? "server" : "client";
                         });

TEST_P(SenderTest, sends_text_binary_and_prepared_messages_in_order) {
  Line line{GetParam()};
  auto connection = line.connect();
  const auto sender = connection.sender();
  const std::string large(70'000, 'x');
  EXPECT_EQ(sender.send("one"), queued);
  EXPECT_EQ(sender.send(std::as_bytes(std::span<const char>{"two", 3})), queued);
  EXPECT_EQ(sender.send(Prepared{"three"}), queued);
  EXPECT_EQ(sender.send(""), queued);
  EXPECT_EQ(sender.send(large), queued);
  EXPECT_EQ(line.next(), "text:one");
  EXPECT_EQ(line.next(), "binary:two");
  EXPECT_EQ(line.next(), "text:three");
  EXPECT_EQ(line.next(), "text:");
  EXPECT_EQ(line.next(), "text:" + large);
  EXPECT_EQ(sender.counters().sent, 5u);
}

TEST_P(SenderTest, refuses_a_text_that_is_not_utf8_and_sends_nothing) {
  Line line{GetParam()};
  auto connection = line.connect();
  const auto sender = connection.sender();
  EXPECT_THROW(sender.send("\xff"), Error);
  EXPECT_EQ(sender.counters().queued, 0u);
  EXPECT_EQ(line.next(), "");
}

TEST_P(SenderTest, outlives_the_connection) {
  Sender sender;
  EXPECT_FALSE(sender.is_open());
  EXPECT_EQ(sender.send("nobody"), closed);
  {
    Line line{GetParam()};
    auto connection = line.connect();
    sender = connection.sender();
    EXPECT_TRUE(sender.is_open());
    line.send(line.close_frame(1000));
    EXPECT_FALSE(sender.is_open());
    EXPECT_EQ(sender.send("gone"), closed);
    EXPECT_FALSE(connection.sender().is_open());
  }
  EXPECT_EQ(sender.send("gone"), closed);
  sender.close();
}

TEST_P(SenderTest, what_waits_goes_before_the_close_frame) {
  Line line{GetParam()};
  Sender sender;
  {
    auto connection = line.connect();
    sender = connection.sender();
    sender.send("goodbye");
  }
  EXPECT_EQ(sender.send("late"), closed);
  EXPECT_EQ(line.next(), "text:goodbye");
  EXPECT_EQ(line.next(), "close:1000");
}

TEST_P(SenderTest, what_waits_for_a_slow_peer_goes_before_the_close_frame) {
  Line line{GetParam(), {}, narrow()};
  Sender sender;
  {
    auto connection = line.connect();
    sender = connection.sender();
    fill(line, sender);
    sender.send("one");
    sender.send("two");
    EXPECT_EQ(sender.counters().waiting, 2u);
  }
  EXPECT_EQ(rest(line), (Texts{"text:one", "text:two", "close:1000"}));
}

TEST_P(SenderTest, closes_behind_what_waits) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  const auto sender = connection.sender();
  fill(line, sender);
  sender.send("last");
  sender.close(static_cast<CloseCode>(4001), "enough");
  EXPECT_EQ(sender.send("late"), closed);
  line.loop.settle();
  EXPECT_TRUE(connection.is_open());
  EXPECT_EQ(rest(line), (Texts{"text:last", "close:4001 enough"}));
  line.send(line.close_frame(4001));
  EXPECT_EQ(describe(connection.close_status()), "4001 by us (enough)");
}

TEST_P(SenderTest, what_a_sender_has_left_behind_is_not_lost_when_another_is_made) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  fill(line, connection.sender());
  connection.sender().send("one");
  line.loop.settle();  // the connection has heard of it, and has no room
  connection.sender().send("two");
  line.loop.settle();
  connection.sender().send("three");
  EXPECT_EQ(rest(line), (Texts{"text:one", "text:two", "text:three"}));
}

TEST_P(SenderTest, each_is_served_when_one_that_is_told_makes_another) {
  MemoryStreamOptions options;
  options.capacity = 100'000;
  Line line{GetParam(), {}, options};
  auto connection = line.connect();
  auto gone = connection.sender();
  const auto first = connection.sender();
  const auto second = connection.sender();
  gone = {};
  Sender made;
  auto replace = [](const Sender& of, Connection& from, Sender& to) -> Task<> {
    const bool drained = co_await of.drained();
    if (drained) to = from.sender();
  };
  first.send(std::string(180'000, 'f'));
  line.loop.settle();
  line.loop.run(replace(first, connection, made));
  second.send("from the second");
  line.loop.settle();
  EXPECT_EQ(second.counters().waiting, 1u);
  std::string all_at_once(options.capacity, ' ');
  EXPECT_EQ(line.peer->try_read(all_at_once).size, options.capacity);
  line.loop.settle();
  EXPECT_TRUE(made.is_open()) << "the first has been told";
  EXPECT_EQ(second.counters().waiting, 0u);
}

TEST_P(SenderTest, refuses_a_code_that_cannot_be_sent) {
  Line line{GetParam()};
  auto connection = line.connect();
  const auto sender = connection.sender();
  EXPECT_THROW(sender.close(CloseCode::abnormal), Error);
  EXPECT_TRUE(sender.is_open());
}

TEST_P(SenderTest, no_limit_is_not_a_value) {
  Line line{GetParam()};
  auto connection = line.connect();
  EXPECT_THROW(static_cast<void>(connection.sender({.messages = 0})), Error);
  EXPECT_THROW(static_cast<void>(connection.sender({.bytes = 0})), Error);
}

TEST_P(SenderTest, drops_the_oldest_when_it_is_full) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  const auto sender = connection.sender({.messages = 2, .overflow = Overflow::drop_oldest});
  fill(line, sender);
  for (const auto* message : {"1", "2", "3", "4"}) EXPECT_EQ(sender.send(message), queued);
  EXPECT_EQ(sender.counters().dropped, 2u);
  EXPECT_EQ(sender.counters().waiting_bytes, 2u);
  EXPECT_EQ(rest(line), (Texts{"text:3", "text:4"}));
}

TEST_P(SenderTest, drops_the_newest_when_it_is_full) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  const auto sender = connection.sender({.messages = 2, .overflow = Overflow::drop_newest});
  fill(line, sender);
  for (const auto* message : {"1", "2"}) EXPECT_EQ(sender.send(message), queued);
  for (const auto* message : {"3", "4"}) EXPECT_EQ(sender.send(message), dropped);
  EXPECT_EQ(sender.counters().dropped, 2u);
  EXPECT_EQ(rest(line), (Texts{"text:1", "text:2"}));
  EXPECT_EQ(sender.send("5"), queued);
  EXPECT_EQ(line.next(), "text:5");
}

TEST_P(SenderTest, is_full_by_bytes_too) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  const auto sender = connection.sender({.bytes = 100'000, .overflow = Overflow::drop_oldest});
  fill(line, sender);
  const std::string large(40'000, 'x');
  for (int i = 0; i < 3; ++i) EXPECT_EQ(sender.send(large), queued);
  EXPECT_EQ(sender.counters().waiting, 2u);
  EXPECT_EQ(sender.send(std::string(100'001, 'x')), dropped) << "it would never fit";
  EXPECT_EQ(sender.counters().waiting, 2u);
  EXPECT_EQ(sender.send(std::string(100'000, 'x')), queued);
  EXPECT_EQ(sender.counters().waiting, 1u);
  EXPECT_EQ(sender.counters().dropped, 4u);
}

TEST_P(SenderTest, disconnects_when_it_is_full) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  const auto sender = connection.sender({.messages = 2});
  fill(line, sender);
  for (const auto* message : {"1", "2"}) EXPECT_EQ(sender.send(message), queued);
  EXPECT_EQ(sender.send("3"), closed);
  EXPECT_FALSE(sender.is_open());
  line.loop.settle();
  EXPECT_EQ(sender.counters().dropped, 3u);
  EXPECT_EQ(rest(line), (Texts{"close:1013 the outbox is full"}));
}

TEST_P(SenderTest, a_full_one_does_not_wait_for_its_peer_to_disconnect) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  const auto sender = connection.sender({.messages = 1});
  fill(line, sender);
  EXPECT_EQ(sender.send("1"), queued);
  EXPECT_EQ(sender.send("2"), closed);
  line.loop.settle();
  EXPECT_FALSE(connection.is_open());
  line.loop.advance(Limits{}.close_grace + 1s);
  EXPECT_EQ(describe(connection.close_status()),
            "1006 by transport (the close frame was not answered in time)");
}

TEST_P(SenderTest, conflates_by_key_in_the_older_ones_place) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  const auto sender = connection.sender({.messages = 4, .overflow = Overflow::conflate});
  fill(line, sender);
  sender.send("tea 1", "tea");
  sender.send("rum 1", "rum");
  sender.send("no key");
  sender.send("tea 2", "tea");
  sender.send("tea 3, a longer one", "tea");
  EXPECT_EQ(sender.counters().conflated, 2u);
  EXPECT_EQ(sender.counters().waiting, 3u);
  EXPECT_EQ(sender.counters().waiting_bytes, 30u);
  EXPECT_EQ(rest(line), (Texts{"text:tea 3, a longer one", "text:rum 1", "text:no key"}));
  sender.send("tea 4", "tea");
  EXPECT_EQ(line.next(), "text:tea 4") << "what has gone is not replaced";
}

TEST_P(SenderTest, conflating_drops_the_oldest_where_a_key_makes_no_room) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  const auto sender =
      connection.sender({.messages = 3, .bytes = 100'000, .overflow = Overflow::conflate});
  fill(line, sender);
  for (const auto* key : {"a", "b", "c", "d"}) sender.send(key, key);
  EXPECT_EQ(sender.counters().dropped, 1u);
  sender.send("a again", "a");
  EXPECT_EQ(sender.counters().dropped, 2u) << "the key of a dropped one is forgotten";
  sender.send(std::string(99'992, 'D'), "d");
  EXPECT_EQ(sender.counters().waiting, 3u) << "full to the byte";
  sender.send(std::string(99'995, 'd'), "d");  // needs the room of all others, and its own place
  EXPECT_EQ(sender.counters().waiting, 1u);
  EXPECT_EQ(sender.counters().waiting_bytes, 99'995u);
  EXPECT_EQ(sender.counters().conflated, 2u);
  EXPECT_EQ(sender.counters().dropped, 4u);
  sender.send(std::string(99'999, 'e'), "e");
  EXPECT_EQ(rest(line), (Texts{"text:" + std::string(99'999, 'e')}));
}

TEST_P(SenderTest, drained_waits_until_the_system_has_taken_all) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  const auto sender = connection.sender();
  std::string log;
  auto wait = [](const Sender& of, std::string& out) -> Task<> {
    out += co_await of.drained() ? "drained " : "ended ";
  };
  line.loop.run(wait(sender, log));
  EXPECT_EQ(log, "drained ") << "there was nothing";
  fill(line, sender);
  line.loop.run(wait(sender, log));
  line.loop.run(wait(sender, log));
  EXPECT_EQ(log, "drained ");
  rest(line);
  EXPECT_EQ(log, "drained drained drained ");
  fill(line, sender);
  line.loop.run(wait(sender, log));
  line.peer.reset();
  line.loop.settle();
  EXPECT_EQ(log, "drained drained drained ended ");
  line.loop.run(wait(sender, log));
  EXPECT_EQ(log, "drained drained drained ended ended ");
}

TEST_P(SenderTest, waiting_for_drained_can_be_cancelled) {
  Line line{GetParam(), {}, narrow()};
  auto connection = line.connect();
  const auto sender = connection.sender();
  fill(line, sender);
  bool timed_out = false;
  auto wait = [](const Sender& of) -> Task<> {
    const bool drained = co_await of.drained();
    (void)drained;
  };
  auto impatient = [](Task<> task, bool& out) -> Task<> {
    try {
      co_await deadline(1s, std::move(task));
    } catch (const Error& error) {
      out = error.code() == Fault::deadline_passed;
    }
  };
  line.loop.run(impatient(wait(sender), timed_out));
  line.loop.advance(1s);
  EXPECT_TRUE(timed_out);
  EXPECT_EQ(rest(line), Texts{});
}

TEST_P(SenderTest, drained_elsewhere_is_an_error) {
  Line line{GetParam()};
  auto connection = line.connect();
  const auto sender = connection.sender();
  auto awaiter = sender.drained();
  EXPECT_THROW(awaiter.await_ready(), Error) << "no loop runs on this thread just now";
}

TEST_P(SenderTest, a_peer_that_takes_all_at_once_does_not_keep_the_loop) {
  MemoryStreamOptions options;
  options.capacity = 64 << 20;
  Line line{GetParam(), {}, options};
  auto connection = line.connect();
  const auto sender = connection.sender({.bytes = 32 << 20});
  for (int i = 0; i < 64; ++i) EXPECT_EQ(sender.send(full_), queued);
  bool early = false;
  line.loop->post([&] { line.loop->post([&] { early = sender.counters().waiting > 0; }); });
  line.loop.settle();
  EXPECT_TRUE(early) << "others had their turn meanwhile";
  EXPECT_EQ(sender.counters().waiting, 0u);
}

TEST_P(SenderTest, loses_nothing_on_a_line_that_stalls) {
  for (unsigned seed = 1; seed <= 20; ++seed) {
    MemoryStreamOptions options;
    options.capacity = 500;
    options.largest_transfer = 97;
    options.random_sizes = true;
    options.stall_one_in = 3;
    options.seed = seed;
    Line line{GetParam(), {}, options};
    auto connection = line.connect();
    const auto one = connection.sender();
    const auto other = connection.sender();
    Texts expected[2];
    for (std::size_t i = 0; i < 300; ++i) {
      const std::size_t which = i % 3 == 0;
      const auto message = std::to_string(which) + ":" + std::string(i * 7 % 1500, 'x');
      (which ? one : other).send(message);
      expected[which].push_back("text:" + message);
      if (i % 50 == 0) line.loop.settle();
    }
    Texts seen[2];
    for (auto next = line.next(); !next.empty(); next = line.next()) {
      seen[next[5] == '1'].push_back(next);
    }
    EXPECT_EQ(seen[0], expected[0]);
    EXPECT_EQ(seen[1], expected[1]);
  }
}

TEST_P(SenderTest, ends_well_wherever_the_line_fails) {
  std::uint64_t transfers = 0;
  for (std::uint64_t at = 0; at == 0 || at <= transfers; ++at) {
    for (const bool reset : {false, true}) {
      MemoryStreamOptions options = narrow();
      (reset ? options.reset_at : options.fail_at) = at;
      Line line{GetParam(), {}, options};
      auto connection = line.connect();
      const auto sender = connection.sender({.messages = 50, .overflow = Overflow::drop_oldest});
      for (int i = 0; i < 100; ++i) {
        sender.send(std::string(200, 'x'));
        if (i % 10 == 0) line.loop.settle();
      }
      line.received();
      sender.close();
      line.received();
      if (at == 0) transfers = memory_stream_transfers(*line.peer);
      if (at != 0) {
        EXPECT_FALSE(sender.is_open());
      }
      const auto counters = sender.counters();
      EXPECT_EQ(counters.sent + counters.dropped + counters.waiting, counters.queued);
    }
  }
  EXPECT_GT(transfers, 20u);
}

}  // namespace
}  // namespace hotline::websocket
