#include <hotline/net/memory_stream.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "net/net_fixture.h"

namespace hotline {
namespace {

struct Pair {
  explicit Pair(const MemoryStreamOptions& options = {}) {
    auto [one, other] = make_memory_streams(*loop, options);
    a = std::move(one);
    b = std::move(other);
  }
  TestLoop loop;
  StreamPointer a;
  StreamPointer b;
};

TEST(MemoryStream, carries_bytes_both_ways) {
  Pair pair;
  EXPECT_EQ(pair.a->try_write(span_of("head"), span_of("body")).size, 8u);
  EXPECT_EQ(pair.b->try_write(span_of("back")).size, 4u);
  EXPECT_EQ(read_once(*pair.b, 6), "headbo");
  EXPECT_EQ(read_once(*pair.b), "dy");
  EXPECT_EQ(read_once(*pair.b), "");
  EXPECT_EQ(read_once(*pair.a), "back");
}

TEST(MemoryStream, ends_behind_what_was_written) {
  Pair pair;
  pair.a->try_write(span_of("last"));
  pair.a->shut_down();
  EXPECT_EQ(pair.a->try_write(span_of("more")).error, EPIPE);
  EXPECT_EQ(read_all(pair.loop, *pair.b), "last.");
  EXPECT_EQ(pair.b->try_write(span_of("still")).size, 5u);
  EXPECT_EQ(read_once(*pair.a), "still");
}

TEST(MemoryStream, that_is_released_ends_reading_and_breaks_writing) {
  Pair pair;
  pair.a->try_write(span_of("last"));
  pair.a.reset();
  EXPECT_EQ(pair.b->try_write(span_of("x")).error, EPIPE);
  EXPECT_EQ(read_all(pair.loop, *pair.b), "last.");
}

TEST(MemoryStream, takes_no_more_than_its_capacity) {
  Pair pair{{.capacity = 10}};
  EXPECT_EQ(pair.a->try_write(span_of("123456"), span_of("789012")).size, 10u);
  EXPECT_TRUE(pair.a->try_write(span_of("x")).would_block());
  Ear ear;
  pair.a->wait_writable(ear);
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 0);
  EXPECT_EQ(read_once(*pair.b, 3), "123");
  EXPECT_EQ(ear.heard, 0) << "from the loop, not from inside";
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 1);
  EXPECT_EQ(pair.a->try_write(span_of("abcdef")).size, 3u);
  EXPECT_EQ(read_all(pair.loop, *pair.b), "4567890abc");
}

TEST(MemoryStream, tells_a_waiter_once_and_of_the_state_as_it_is) {
  Pair pair;
  Ear ear;
  pair.a->try_write(span_of("x"));
  pair.b->wait_readable(ear);  // what came before counts
  EXPECT_EQ(ear.heard, 0);
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 1);
  pair.a->try_write(span_of("y"));
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 1);
  pair.b->wait_readable(ear);
  read_once(*pair.b);
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 1) << "it was read meanwhile";
  pair.b->cancel_wait(ear);
  pair.a->try_write(span_of("z"));
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 1);
}

TEST(MemoryStream, can_be_waited_for_in_both_directions_at_once) {
  Pair pair{{.capacity = 1}};
  pair.a->try_write(span_of("1"));
  Ear reads;
  Ear writes;
  pair.a->wait_readable(reads);
  pair.a->wait_writable(writes);
  read_once(*pair.b);
  pair.b->try_write(span_of("2"));
  pair.loop.settle();
  EXPECT_EQ(reads.heard, 1);
  EXPECT_EQ(writes.heard, 1);
}

TEST(MemoryStream, may_be_released_in_its_own_callback) {
  Pair pair;
  Ear ear{[&] { pair.b.reset(); }};
  pair.b->wait_readable(ear);
  pair.b->wait_writable(ear);
  pair.a->try_write(span_of("x"));
  pair.loop.settle();
  EXPECT_EQ(ear.heard, 1);
  EXPECT_EQ(live_memory_streams(), 1);
}

TEST(MemoryStream, goes_with_a_loop_that_owes_it_a_callback) {
  const auto before = live_memory_streams();
  Ear ear;
  {
    Loop loop;
    auto [a, b] = make_memory_streams(loop);
    b->wait_readable(ear);
    a->try_write(span_of("x"));
  }
  EXPECT_EQ(live_memory_streams(), before);
  EXPECT_EQ(ear.heard, 0);
}

TEST(MemoryStream, splits_into_pieces_of_a_size) {
  Pair pair{{.largest_transfer = 3}};
  EXPECT_EQ(pair.a->try_write(span_of("12345")).size, 3u);
  EXPECT_EQ(pair.a->try_write(span_of("45")).size, 2u);
  EXPECT_EQ(read_once(*pair.b), "123");
  EXPECT_EQ(read_once(*pair.b), "45");
}

// What happens on a pair that is written and read in turn.
std::vector<std::size_t> sizes(const MemoryStreamOptions& options) {
  Pair pair{options};
  const auto bytes = pattern(2000);
  std::string sent;
  std::string received;
  std::vector<std::size_t> result;
  for (int i = 0; i < 100000 && received.size() < bytes.size(); ++i) {
    const auto written = pair.a->try_write(span_of(bytes).subspan(sent.size()));
    sent.append(bytes, sent.size(), written.size);
    result.push_back(written.size);
    received += read_once(*pair.b);
    result.push_back(received.size());
    if (sent.size() == bytes.size()) pair.a->shut_down();
  }
  EXPECT_EQ(received, bytes);
  return result;
}

TEST(MemoryStream, does_the_same_for_the_same_seed_and_another_for_another) {
  const MemoryStreamOptions options{
      .largest_transfer = 50, .random_sizes = true, .stall_one_in = 3};
  auto other = options;
  other.seed = 2;
  EXPECT_EQ(sizes(options), sizes(options));
  EXPECT_NE(sizes(options), sizes(other));
}

TEST(MemoryStream, stalls_and_is_ready_again_at_once) {
  Pair pair{{.stall_one_in = 2}};
  Ear ear;
  int stalls = 0;
  for (int i = 0; i < 100; ++i) {
    const auto transfer = pair.a->try_write(span_of("x"));
    if (!transfer.would_block()) continue;
    ++stalls;
    pair.a->wait_writable(ear);
    pair.loop.settle();
    EXPECT_EQ(ear.heard, stalls);
  }
  EXPECT_GT(stalls, 20);
  EXPECT_LT(stalls, 80);
}

TEST(MemoryStream, is_reset_at_a_transfer_for_both_ends) {
  Pair pair{{.reset_at = 3}};
  EXPECT_EQ(pair.a->try_write(span_of("x")).size, 1u);
  EXPECT_EQ(pair.b->try_write(span_of("y")).size, 1u);
  EXPECT_EQ(memory_stream_transfers(*pair.a), 2u);
  Ear own;
  Ear peers;
  EXPECT_EQ(read_once(*pair.a), "!" + std::to_string(ECONNRESET));
  pair.a->wait_readable(own);
  pair.b->wait_readable(peers);
  pair.loop.settle();
  EXPECT_EQ(own.heard, 1);
  EXPECT_EQ(peers.heard, 1);
  EXPECT_EQ(pair.b->try_write(span_of("y")).error, ECONNRESET);
  EXPECT_EQ(read_once(*pair.b), "!" + std::to_string(ECONNRESET)) << "what was on its way is lost";
}

TEST(MemoryStream, that_is_reset_tells_those_who_wait_at_either_end) {
  Pair pair{{.reset_at = 1}};
  Ear own;
  Ear peers;
  pair.a->wait_readable(own);
  pair.b->wait_readable(peers);
  EXPECT_EQ(pair.a->try_write(span_of("x")).error, ECONNRESET);
  pair.loop.settle();
  EXPECT_EQ(own.heard, 1);
  EXPECT_EQ(peers.heard, 1);
}

TEST(MemoryStream, fails_one_transfer_with_the_error_asked_for) {
  Pair pair{{.fail_at = 2, .failure = ETIMEDOUT}};
  EXPECT_EQ(pair.a->try_write(span_of("x")).size, 1u);
  const auto failed = pair.b->try_read({});
  EXPECT_EQ(failed.error, ETIMEDOUT);
  EXPECT_TRUE(failed.failed());
  EXPECT_EQ(failed.code(), std::errc::timed_out);
}

TEST(MemoryStream, records_every_transfer) {
  MemoryStreamOptions options;
  options.capacity = 3;
  options.recording = std::make_shared<Recording>();
  {
    Pair pair{options};
    pair.a->try_write(span_of("h\n"), span_of("body"));
    pair.a->try_write(span_of("x"));
    EXPECT_EQ(read_once(*pair.b, 2), "h\n");
    pair.a->try_write(span_of("rest"));
    pair.a->shut_down();
    read_once(*pair.b);
    read_once(*pair.b);
    pair.b.reset();
    pair.a->try_write(span_of("lost"));
  }
  EXPECT_EQ(options.recording->text(),
            "0 writes 3: h\\x0ab\n"
            "0 writes nothing yet\n"
            "1 reads 2: h\\x0a\n"
            "0 writes 2: re\n"
            "1 reads 3: bre\n"
            "1 reads the end\n"
            "0 writes and fails: Broken pipe\n");
  EXPECT_EQ(options.recording->written_by(0), "h\nbre");
  EXPECT_EQ(options.recording->written_by(1), "");
}

// The order in which the second ends of ten pairs hear that they are readable.
std::vector<int> order_of_wake_ups(unsigned late, std::uint64_t seed) {
  struct Numbered final : Waiter {
    void ready() noexcept override { order->push_back(number); }
    std::vector<int>* order = nullptr;
    int number = 0;
  };
  TestLoop loop;
  std::vector<int> order;
  std::vector<StreamPointer> streams;
  Numbered ears[10];
  for (int i = 0; i < 10; ++i) {
    MemoryStreamOptions options;
    options.late_wakeups = late;
    options.seed = seed + static_cast<std::uint64_t>(i);
    auto [a, b] = make_memory_streams(*loop, options);
    ears[i].order = &order;
    ears[i].number = i;
    b->wait_readable(ears[i]);
    a->try_write(span_of("x"));
    streams.push_back(std::move(a));
    streams.push_back(std::move(b));
  }
  loop.settle();
  return order;
}

TEST(MemoryStream, wakes_in_another_order_by_seed_and_nobody_is_forgotten) {
  const std::vector<int> in_order{0, 1, 2, 3, 4, 5, 6, 7, 8, 9};
  EXPECT_EQ(order_of_wake_ups(0, 1), in_order);
  int different = 0;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    auto order = order_of_wake_ups(5, seed);
    EXPECT_EQ(order_of_wake_ups(5, seed), order);
    different += order != in_order ? 1 : 0;
    std::sort(order.begin(), order.end());
    EXPECT_EQ(order, in_order);
  }
  EXPECT_GE(different, 9);
}

}  // namespace
}  // namespace hotline
