#include "net/poll_list.h"

#include <sys/socket.h>

#include <memory>
#include <optional>
#include <vector>

#include "net/net_fixture.h"
#include "net/tcp_stream.h"

namespace hotline {
namespace {

TEST(PollOddsTest, are_tried_after_so_many_waits_and_given_up_where_it_does_not_pay) {
  PollOdds odds;
  for (int round = 0; round < 3; ++round) {
    for (int i = 0; i < PollOdds::waits; ++i) {
      EXPECT_FALSE(odds.favourable()) << i;
      odds.waited();
    }
    EXPECT_TRUE(odds.favourable());
    odds.missed();
  }
  EXPECT_FALSE(odds.favourable());
}

TEST(PollOddsTest, stay_good_where_two_of_three_find_something) {
  PollOdds odds;
  for (int i = 0; i < PollOdds::waits; ++i) odds.waited();
  for (int i = 0; i < 8; ++i) odds.found();
  for (int i = 0; i < 10'000; ++i) {
    ASSERT_TRUE(odds.favourable());
    i % 3 == 0 ? odds.missed() : odds.found();
  }
}

TEST(PollOddsTest, do_not_stay_good_where_one_of_two_finds_something) {
  PollOdds odds;
  for (int i = 0; i < PollOdds::waits; ++i) odds.waited();
  for (int i = 0; i < 10'000; ++i) odds.found();
  int tries = 0;
  for (; odds.favourable(); ++tries) tries % 2 == 0 ? odds.missed() : odds.found();
  EXPECT_LT(tries, 64) << "however good they were";
}

// Of a list's polls.
constexpr int more_than_at_once = 140;

/// As if others had been told since those that wait began to.
void give_company(Loop& loop) {
  for (int i = 0; i < 8; ++i) loop.polls().told();
}

/// Reads a byte whenever it is told to, and waits again.
class Reader final : public Waiter {
 public:
  Reader(Loop& loop, bool polled) {
    int pair[2];
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair), 0);
    stream = TcpStream::adopt(loop, pair[0], {}, {});
    peer = TcpStream::adopt(loop, pair[1], {}, {});
    if (!polled) return;
    stream->wait_readable(*this);
    send(PollOdds::waits);
    loop.context().restart();
    while (read < PollOdds::waits && loop.context().poll_one() > 0) {
    }
    EXPECT_EQ(read, PollOdds::waits);
    EXPECT_EQ(vain, 0);
    give_company(loop);
    // What it waits for now is a poll.
  }
  Reader(const Reader&) = delete;
  Reader& operator=(const Reader&) = delete;
  ~Reader() {
    if (stream) stream->cancel_wait(*this);
  }

  void send(std::size_t count) { EXPECT_EQ(peer->try_write(std::string(count, 'x')).size, count); }

  void ready() noexcept override {
    char byte = 0;
    const auto transfer = stream->try_read({&byte, 1});
    transfer.would_block() ? ++vain : ++read;
    if (waits) stream->wait_readable(*this);
    if (then) then();
  }

  StreamPointer stream;
  StreamPointer peer;
  std::function<void()> then;
  bool waits = true;
  int read = 0;
  int vain = 0;
};

/// None of them waits; all are going to be polled.
std::vector<std::unique_ptr<Reader>> many(Loop& loop, int count) {
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < count; ++i) {
    auto& reader = *readers.emplace_back(std::make_unique<Reader>(loop, true));
    reader.stream->cancel_wait(reader);
    loop.run_ready();
    EXPECT_EQ(reader.vain, 0);
  }
  return readers;
}

TEST(PollListTest, streams_are_polled_while_there_is_more_each_time_and_then_left_to_epoll) {
  TestLoop loop;
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < 16; ++i) {
    auto& reader = *readers.emplace_back(std::make_unique<Reader>(*loop, false));
    reader.stream->wait_readable(reader);
  }
  const auto send = [&](std::size_t count) {
    for (auto& reader : readers) reader->send(count);
    loop.settle();  // which would not end if they were polled for ever
  };
  send(20);
  for (auto& reader : readers) {
    EXPECT_EQ(reader->read, 20);
    EXPECT_EQ(reader->vain, 0) << "epoll is never wrong";
  }
  send(100);
  std::vector<int> vain;
  for (auto& reader : readers) {
    EXPECT_EQ(reader->read, 120);
    EXPECT_GT(reader->vain, 0);
    EXPECT_LT(reader->vain, 16);
    vain.push_back(reader->vain);
  }
  send(20);
  for (auto& reader : readers) {
    EXPECT_EQ(reader->read, 140);
    EXPECT_EQ(reader->vain, vain[static_cast<std::size_t>(&reader - readers.data())])
        << "it is epoll's again";
  }
}

TEST(PollListTest, a_stream_that_has_no_company_is_left_to_epoll) {
  TestLoop loop;
  Reader reader{*loop, false};
  reader.stream->wait_readable(reader);
  for (int i = 1; i <= 100; ++i) {
    reader.send(PollOdds::waits - 1);
    loop.settle();
    EXPECT_EQ(reader.read, i * (PollOdds::waits - 1));
  }
  EXPECT_LT(reader.vain, 20) << "hardly one in so many times was it polled";
}

TEST(PollListTest, who_is_told_and_does_not_read_is_left_to_epoll) {
  TestLoop loop;
  auto readers = many(*loop, more_than_at_once);
  auto& last = *readers.back();
  int heard = 0;
  Ear ear{[&] {
    if (++heard < 1000) last.stream->wait_readable(ear);
    give_company(*loop);
  }};
  for (auto& reader : readers) reader->stream->wait_readable(*reader);
  last.stream->cancel_wait(last);
  last.stream->wait_readable(ear);
  give_company(*loop);
  loop.settle();
  EXPECT_EQ(heard, 1);
  last.stream->cancel_wait(ear);
}

TEST(PollListTest, the_end_is_found_by_a_poll) {
  TestLoop loop;
  Reader reader{*loop, true};
  std::string end;
  Ear ear{[&] { end = read_once(*reader.stream); }};
  reader.stream->cancel_wait(reader);
  reader.stream->wait_readable(ear);
  reader.peer.reset();
  loop.settle();
  EXPECT_EQ(ear.heard, 1);
  EXPECT_EQ(end, ".");
}

TEST(PollListTest, one_who_cancels_is_not_told_but_the_next) {
  TestLoop loop;
  Reader reader{*loop, true};
  reader.stream->cancel_wait(reader);
  Ear ear;
  loop.settle();
  EXPECT_EQ(reader.vain, 0);
  reader.stream->wait_readable(reader);
  reader.stream->cancel_wait(reader);
  reader.stream->wait_readable(ear);
  reader.send(1);
  loop.settle();
  EXPECT_EQ(ear.heard, 1);
  EXPECT_EQ(reader.read, PollOdds::waits);
}

TEST(PollListTest, a_stream_may_be_released_on_it) {
  TestLoop loop;
  Reader reader{*loop, true};
  const auto before = open_descriptors();
  reader.stream.reset();
  EXPECT_EQ(open_descriptors(), before - 1) << "closed at once";
  loop.settle();
  EXPECT_EQ(reader.vain, 0);
}

TEST(PollListTest, a_stream_may_be_released_when_it_is_told) {
  TestLoop loop;
  Reader reader{*loop, true};
  reader.then = [&] { reader.stream.reset(); };
  reader.send(1);
  loop.settle();
  EXPECT_EQ(reader.read, PollOdds::waits + 1);
}

TEST(PollListTest, goes_with_its_loop) {
  std::optional<Loop> loop{std::in_place};
  auto readers = many(*loop, more_than_at_once);
  for (auto& reader : readers) reader->stream->wait_readable(*reader);
  give_company(*loop);
  loop->context().restart();
  EXPECT_EQ(loop->context().poll_one(), 1u);
  EXPECT_GT(readers.front()->vain, 0) << "which is on it again";
  EXPECT_EQ(readers.back()->vain, 0) << "which is still on it";
  for (auto& reader : readers) {
    reader->stream->cancel_wait(*reader);
    reader->stream.reset();
    reader->peer.reset();
  }
  loop.reset();
}

TEST(PollListTest, one_who_is_told_may_stop_the_loop) {
  TestLoop loop;
  auto readers = many(*loop, 20);
  for (auto& reader : readers) {
    reader->waits = false;
    reader->stream->wait_readable(*reader);
    reader->send(1);
  }
  give_company(*loop);
  int told = 0;
  for (auto& reader : readers) {
    reader->then = [&] {
      if (++told == 5) loop->stop();
    };
  }
  loop->context().restart();
  loop->context().poll();
  EXPECT_EQ(told, 5);
  loop.settle();
  EXPECT_EQ(told, 20);
}

TEST(PollListTest, what_it_has_posted_may_outlive_it) {
  boost::asio::io_context context{1};
  auto loop = std::make_unique<Loop>(context, LoopOptions{});
  {
    Reader reader{*loop, true};
    EXPECT_EQ(reader.read, PollOdds::waits);
  }
  loop.reset();
  context.restart();
  context.run();
}

TEST(PollListTest, a_wait_behind_the_loop_s_end_is_epoll_s) {
  TestLoop loop;
  auto readers = many(*loop, 1);
  auto& reader = *readers.front();
  loop->polls().abandon();
  reader.stream->wait_readable(reader);
  loop.settle();
  EXPECT_EQ(reader.vain, 0);
  reader.send(1);
  loop.settle();
  EXPECT_EQ(reader.read, PollOdds::waits + 1);
}

TEST(PollListTest, others_have_their_turn_between_two_polls_of_a_stream) {
  TestLoop loop;
  auto readers = many(*loop, 16);
  for (auto& reader : readers) {
    reader->stream->wait_readable(*reader);
    reader->send(100);
  }
  auto& last = *readers.back();
  const auto enough = last.read + 50;
  int turns = 0;
  std::function<void()> turn = [&] {
    if (last.read < enough) loop->post([&] { turn(); });
    ++turns;
  };
  turn();
  loop.settle();
  EXPECT_GE(turns, 50);
}

TEST(PollListTest, others_have_their_turn_among_the_polls_of_many) {
  TestLoop loop;
  auto readers = many(*loop, more_than_at_once);
  int told = 0;
  for (auto& reader : readers) {
    reader->waits = false;
    reader->then = [&] { ++told; };
    reader->stream->wait_readable(*reader);
  }
  give_company(*loop);
  int at_turn = 0;
  loop->post([&] { at_turn = told; });
  loop.settle();
  EXPECT_GT(at_turn, 0);
  EXPECT_LE(at_turn, 128);
  EXPECT_EQ(told, more_than_at_once);
}

TEST(PollListTest, one_who_is_told_may_run_the_loop) {
  TestLoop loop;
  auto readers = many(*loop, 2);
  auto& first = *readers[0];
  auto& second = *readers[1];
  first.waits = second.waits = false;
  first.stream->wait_readable(first);
  second.stream->wait_readable(second);
  give_company(*loop);
  int seen = -1;
  first.then = [&] {
    loop->context().poll();
    seen = second.vain;
  };
  loop.settle();
  EXPECT_EQ(first.vain, 1);
  EXPECT_EQ(seen, 1);
}

}  // namespace
}  // namespace hotline
