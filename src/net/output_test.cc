#include "net/output.h"

#include <cerrno>
#include <memory>
#include <vector>

#include "net/net_fixture.h"

namespace hotline {
namespace {

constexpr std::size_t high = Output::high_water;

/// One output and the peer's end of its stream.
class Mouth final : public OutputListener {
 public:
  Mouth(TestLoop& loop, const MemoryStreamOptions& options) : loop_(loop) {
    auto [ours, theirs] = make_memory_streams(*loop, options);
    stream = std::move(ours);
    peer = std::move(theirs);
    output = std::make_unique<Output>(*loop, *this);
    output->attach(*stream);
  }

  void output_progressed() noexcept override {
    ++progressed;
    if (on_progress) on_progress();
  }
  void output_failed(int error) noexcept override {
    ++failed;
    last_error = error;
    if (on_failure) on_failure();
  }
  bool write(std::string_view text, detail::Segment* segment = nullptr) {
    return output->write(span_of(text), {}, segment);
  }
  std::string received() { return read_all(loop_, *peer); }
  /// System calls so far, the peer's included.
  std::uint64_t transfers() const { return memory_stream_transfers(*peer); }

  StreamPointer stream;
  StreamPointer peer;
  std::unique_ptr<Output> output;
  std::function<void()> on_progress;
  std::function<void()> on_failure;
  int progressed = 0;
  int failed = 0;
  int last_error = 0;

 private:
  TestLoop& loop_;
};

/// A write that waits.
class Waiting final : public detail::Segment {
 public:
  explicit Waiting(std::function<void()> then = {}) : then_(std::move(then)) {}
  ~Waiting() = default;
  int told = 0;

 private:
  void sent() noexcept override {
    ++told;
    if (then_) then_();
  }
  std::function<void()> then_;
};

class OutputTest : public ::testing::Test {
 protected:
  std::unique_ptr<Mouth> mouth(const MemoryStreamOptions& options = {}) {
    return std::make_unique<Mouth>(loop, options);
  }
  TestLoop loop;
};

using Corked = OutputTest;

TEST_F(Corked, small_writes_of_a_turn_go_in_one_send) {
  auto a = mouth();
  {
    Turn turn{*loop};
    for (int i = 0; i < 100; ++i) a->write("0123456789");
    EXPECT_EQ(a->transfers(), 0u);
  }
  EXPECT_EQ(a->transfers(), 1u);
  EXPECT_EQ(a->received().size(), 1000u);
  EXPECT_EQ(a->progressed, 0) << "nothing had to wait";
}

TEST_F(Corked, nested_turns_flush_at_the_end_of_the_outermost) {
  auto a = mouth();
  {
    Turn outer{*loop};
    {
      Turn inner{*loop};
      a->write("a");
    }
    EXPECT_EQ(a->transfers(), 0u);
    a->write("b");
  }
  EXPECT_EQ(a->transfers(), 1u);
  EXPECT_EQ(a->received(), "ab");
}

TEST_F(Corked, a_write_outside_any_turn_goes_at_once) {
  auto a = mouth();
  a->write("now");
  EXPECT_EQ(read_once(*a->peer), "now");
}

TEST_F(Corked, an_output_that_writes_flushes_anothers_bytes) {
  auto a = mouth();
  auto b = mouth();
  {
    Turn turn{*loop};
    a->write("a1");
    a->write("a2");
    b->write("b1");
    EXPECT_EQ(a->transfers(), 1u);
    EXPECT_EQ(b->transfers(), 0u);
    a->write("a3");
    EXPECT_EQ(b->transfers(), 1u);
  }
  EXPECT_EQ(a->transfers(), 2u);
  EXPECT_EQ(a->received(), "a1a2a3");
  EXPECT_EQ(b->received(), "b1");
}

TEST_F(Corked, a_full_cork_is_flushed_and_filled_again) {
  auto a = mouth();
  const auto bytes = pattern(8 * 1000);
  std::string all;
  {
    Turn turn{*loop};
    for (int i = 0; i < 20; ++i) {
      a->write(bytes);
      all += bytes;
    }
    EXPECT_EQ(a->transfers(), 2u) << "eight fit into 64 KiB";
  }
  EXPECT_EQ(a->received(), all);
}

TEST_F(Corked, a_large_write_takes_along_what_was_corked_in_one_call) {
  auto a = mouth();
  const auto body = pattern(20'000);
  {
    Turn turn{*loop};
    a->write("small");
    a->output->write(span_of("head"), span_of(body));
    EXPECT_EQ(a->transfers(), 1u);
    a->write("behind");
  }
  EXPECT_EQ(a->transfers(), 2u);
  EXPECT_EQ(a->received(), "smallhead" + body + "behind");
}

TEST_F(Corked, a_large_write_whose_head_no_longer_fits_flushes_first) {
  auto a = mouth({.capacity = 1 << 20});
  const auto filling = pattern(8 * 1024);
  const auto body = pattern(10'000, 2);
  std::string all;
  {
    Turn turn{*loop};
    for (int i = 0; i < 8; ++i) all += filling, a->write(filling);
    a->output->write(span_of("head"), span_of(body));
  }
  EXPECT_EQ(a->received(), all + "head" + body);
}

TEST_F(Corked, bytes_of_an_output_that_detaches_are_sent_first) {
  auto a = mouth();
  auto b = mouth();
  Turn turn{*loop};
  a->write("a");
  a->output->detach();
  b->write("b");
  b->output.reset();
  EXPECT_EQ(read_once(*a->peer), "a");
  EXPECT_EQ(read_once(*b->peer), "b");
  a->write("nothing more");
  EXPECT_TRUE(a->output->failed());
  EXPECT_EQ(read_once(*a->peer), "");
}

TEST_F(Corked, bytes_can_be_taken_unsent_in_their_order) {
  auto a = mouth({.capacity = 4});
  Turn turn{*loop};
  a->write("12");
  EXPECT_EQ(a->output->take_unsent(), "12");
  EXPECT_EQ(a->transfers(), 0u);
  auto b = mouth({.capacity = 4});
  b->output->write({}, span_of(pattern(9000)));
  b->write("behind");
  EXPECT_EQ(b->output->take_unsent(), pattern(9000).substr(4) + "behind");
}

// ---- The backlog

struct Shape {
  std::size_t capacity;
  std::size_t largest;
  bool random = false;
  unsigned stall = 0;
};

class Partial : public OutputTest, public ::testing::WithParamInterface<Shape> {};

INSTANTIATE_TEST_SUITE_P(, Partial,
                         ::testing::Values(Shape{1, 0}, Shape{7, 0}, Shape{4096, 1000},
                                           Shape{65536, 130}, Shape{5000, 0, true},
                                           Shape{100'000, 3000, true, 3}, Shape{1 << 20, 0}));

TEST_P(Partial, writes_of_all_sizes_arrive_whole_and_in_order) {
  const auto shape = GetParam();
  auto a = mouth({.capacity = shape.capacity,
                  .largest_transfer = shape.largest,
                  .random_sizes = shape.random,
                  .stall_one_in = shape.stall});
  std::string all;
  std::string received;
  const std::size_t many = shape.capacity < 100 ? 20 : 1000;
  for (std::size_t size :
       {std::size_t{1}, std::size_t{2}, many, std::size_t{0}, 5 * many, std::size_t{8192}, 9 * many,
        std::size_t{3}, std::size_t{8193}, 100 * many, std::size_t{1}}) {
    if (shape.capacity < 100 && size > 1000) size = 999;
    const auto head = pattern(std::min<std::size_t>(size, 14), 3);
    const auto body = pattern(size, 5);
    {
      Turn turn{*loop};
      a->output->write(span_of(head), span_of(body));
      a->write("|");
    }
    all += head + body + "|";
    received += read_once(*a->peer, 17);  // so that later writes meet a backlog half sent
    loop.settle();
  }
  received += a->received();
  EXPECT_EQ(received, all);
  EXPECT_EQ(a->output->backlog(), 0u);
  EXPECT_EQ(a->failed, 0);
}

TEST_P(Partial, waiting_writes_are_told_in_order_when_their_bytes_have_gone) {
  const auto shape = GetParam();
  auto a = mouth({.capacity = shape.capacity,
                  .largest_transfer = shape.largest,
                  .random_sizes = shape.random,
                  .stall_one_in = shape.stall});
  a->output->write({}, span_of(pattern(shape.capacity + high)));  // nobody waits for this
  std::vector<int> order;
  const auto one = pattern(70'000, 1);
  const auto two = pattern(100'000, 2);
  Waiting first{[&] { order.push_back(1); }};
  Waiting second{[&] { order.push_back(2); }};
  Waiting fence{[&] { order.push_back(3); }};
  EXPECT_TRUE(a->output->write(span_of("1"), span_of(one), &first));
  EXPECT_TRUE(a->output->write(span_of("2"), span_of(two), &second));
  EXPECT_TRUE(a->output->wait_if_high(fence));
  EXPECT_TRUE(fence.queued());
  EXPECT_EQ(order, std::vector<int>{});
  EXPECT_EQ(a->received(), pattern(shape.capacity + high) + "1" + one + "2" + two);
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
  EXPECT_FALSE(first.queued());
}

using Backlog = OutputTest;

TEST_F(Backlog, up_to_the_high_water_mark_nobody_waits) {
  auto a = mouth({.capacity = 1});
  Waiting segment;
  EXPECT_FALSE(a->output->write({}, span_of(pattern(high + 1)), &segment));
  EXPECT_EQ(a->output->backlog(), high);
  EXPECT_FALSE(a->output->high());
  EXPECT_FALSE(a->output->wait_if_high(segment));
  EXPECT_TRUE(a->output->write({}, span_of("x"), &segment));
  EXPECT_TRUE(a->output->high());
  a->output->abandon(segment);
  EXPECT_EQ(a->output->backlog(), high + 1);
}

TEST_F(Backlog, is_summed_up_for_the_loop) {
  auto a = mouth({.capacity = 100});
  auto b = mouth({.capacity = 100});
  EXPECT_EQ(loop->cork().backlog(), 0u);
  a->write(pattern(1000));
  EXPECT_EQ(loop->cork().backlog(), 900u);
  Waiting waiting;
  b->write(pattern(2 * high), &waiting);
  EXPECT_EQ(loop->cork().backlog(), 900u + 2 * high - 100);
  b->output->abandon(waiting);
  EXPECT_EQ(loop->cork().backlog(), a->output->backlog() + b->output->backlog());
  a->received();
  EXPECT_EQ(loop->cork().backlog(), b->output->backlog());
  b.reset();
  EXPECT_EQ(loop->cork().backlog(), 0u);
}

TEST_F(Backlog, of_an_abandoned_write_is_copied) {
  auto a = mouth({.capacity = 1000});
  auto body = std::make_unique<std::string>(pattern(200'000));
  auto segment = std::make_unique<Waiting>();
  Waiting behind;
  const auto tail = pattern(5, 9);
  EXPECT_TRUE(a->output->write(span_of("h"), span_of(*body), segment.get()));
  EXPECT_TRUE(a->output->write(span_of(tail), {}, &behind));
  std::string received = read_once(*a->peer);
  loop.settle();  // some of it has been sent
  const auto backlog = a->output->backlog();
  a->output->abandon(*segment);
  EXPECT_EQ(a->output->backlog(), backlog);
  EXPECT_EQ(segment->told, 0);
  EXPECT_FALSE(segment->queued());
  segment.reset();
  body.reset();
  received += a->received();
  EXPECT_EQ(received, "h" + pattern(200'000) + tail);
  EXPECT_EQ(behind.told, 1);
}

TEST_F(Backlog, writes_can_be_abandoned_first_in_the_middle_and_last) {
  for (int gone = 0; gone < 3; ++gone) {
    auto a = mouth({.capacity = 1000});
    const auto body = pattern(70'000);
    Waiting segments[3];
    for (auto& segment : segments) EXPECT_TRUE(a->output->write({}, span_of(body), &segment));
    a->output->abandon(segments[gone]);
    a->output->abandon(segments[gone]);
    a->write("end");
    EXPECT_EQ(a->received(), body + body + body + "end");
    for (int i = 0; i < 3; ++i) EXPECT_EQ(segments[i].told, i == gone ? 0 : 1);
  }
}

TEST_F(Backlog, an_abandoned_fence_leaves_nothing) {
  auto a = mouth({.capacity = 1000});
  a->output->write({}, span_of(pattern(100'000)));
  Waiting fence;
  EXPECT_TRUE(a->output->wait_if_high(fence));
  a->output->abandon(fence);
  a->write("end");
  EXPECT_EQ(a->received(), pattern(100'000) + "end");
  EXPECT_EQ(fence.told, 0);
}

TEST_F(Backlog, may_be_written_to_by_those_who_are_told) {
  auto a = mouth({.capacity = 1000});
  const auto body = pattern(70'000);
  Waiting second;
  Waiting first{[&] { a->write("from within"); }};
  EXPECT_TRUE(a->output->write({}, span_of(body), &first));
  EXPECT_TRUE(a->output->write({}, span_of(body), &second));
  EXPECT_EQ(a->received(), body + body + "from within");
  EXPECT_GT(a->progressed, 0);
}

// ---- Failure, and the end of it all

using Failing = OutputTest;

TEST_F(Failing, is_told_from_the_loop_and_not_from_inside) {
  auto a = mouth({.reset_at = 1});
  a->write("x");
  EXPECT_TRUE(a->output->failed());
  EXPECT_EQ(a->failed, 0);
  loop.settle();
  EXPECT_EQ(a->failed, 1);
  EXPECT_EQ(a->last_error, ECONNRESET);
  a->write("y");
  loop.settle();
  EXPECT_EQ(a->failed, 1) << "once";
}

TEST_F(Failing, in_the_backlog_tells_the_listener_and_then_the_segments) {
  auto a = mouth({.capacity = 10, .reset_at = 5});
  std::string order;
  Waiting segment{[&] { order += "segment "; }};
  a->on_failure = [&] {
    order += "listener ";
    a->output->detach();
  };
  const auto body = pattern(100'000);
  EXPECT_TRUE(a->output->write({}, span_of(body), &segment));
  a->received();
  EXPECT_EQ(order, "listener segment ");
  EXPECT_EQ(a->failed, 1);
  EXPECT_EQ(a->output->backlog(), 0u);
  EXPECT_FALSE(a->output->wait_if_high(segment));
}

TEST_F(Failing, a_peer_that_is_gone_is_a_broken_pipe) {
  auto a = mouth();
  a->peer.reset();
  a->write("x");
  loop.settle();
  EXPECT_EQ(a->last_error, EPIPE);
}

// Everything an output's users may do to it in a callback.
TEST_F(Failing, the_output_may_be_detached_or_destroyed_in_any_callback) {
  enum Where { sent, progressed, failed };
  for (const Where where : {sent, progressed, failed}) {
    for (const bool destroy : {false, true}) {
      auto a = mouth({.capacity = 1000, .reset_at = where == failed ? 20u : 0u});
      const auto body = pattern(100'000);
      int ended = 0;
      const auto end = [&] {
        ++ended;
        if (destroy) {
          a->output.reset();
        } else {
          a->output->detach();
        }
      };
      Waiting first{where == sent ? std::function<void()>{end} : std::function<void()>{}};
      Waiting second;
      if (where == progressed) {
        a->on_progress = [&] {
          if (a->output && ended == 0) end();
        };
      }
      if (where == failed) a->on_failure = end;
      EXPECT_TRUE(a->output->write({}, span_of(body), &first));
      EXPECT_TRUE(a->output->write({}, span_of(body), &second));
      a->received();
      EXPECT_EQ(ended, 1);
      EXPECT_EQ(first.told, 1);
      EXPECT_EQ(second.told, 1) << "nobody waits for ever";
    }
  }
}

TEST_F(Failing, whoever_is_told_of_the_detaching_may_destroy_the_output) {
  auto a = mouth({.capacity = 10});
  const auto body = pattern(100'000);
  Waiting second;
  Waiting first{[&] { a->output.reset(); }};
  a->output->write({}, span_of(body), &first);
  a->output->write({}, span_of(body), &second);
  a->output->detach();
  EXPECT_EQ(a->output, nullptr);
  EXPECT_EQ(first.told, 1);
  EXPECT_EQ(second.told, 1);
}

}  // namespace
}  // namespace hotline
