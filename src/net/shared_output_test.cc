// What is written to many outputs without a copy for each.
#include <vector>

#include "net/net_fixture.h"

namespace hotline {
namespace {

constexpr std::size_t high = Output::high_water;

class End final : public OutputListener {
 public:
  End(TestLoop& loop, const MemoryStreamOptions& options) : output(*loop, *this) {
    auto [ours, theirs] = make_memory_streams(*loop, options);
    stream = std::move(ours);
    peer = std::move(theirs);
    output.attach(*stream);
  }
  void output_progressed() noexcept override {}
  void output_failed(int error) noexcept override { failure = error; }

  StreamPointer stream;
  StreamPointer peer;
  int failure = 0;
  Output output;
};

class Fence final : public detail::Segment {
 public:
  ~Fence() = default;
  int told = 0;

 private:
  void sent() noexcept override { ++told; }
};

detail::SharedBytes shared(const std::string& text) {
  detail::SharedBytes bytes{text.size()};
  std::copy(text.begin(), text.end(), bytes.writable().begin());
  return bytes;
}

class SharedOutput : public ::testing::Test {
 protected:
  void write(End& end, const detail::SharedBytes& bytes, detail::Segment* waiting = nullptr) {
    Turn turn{*loop};
    end.output.write(bytes, waiting);
  }
  TestLoop loop;
};

TEST_F(SharedOutput, reaches_every_receiver_whatever_their_size_and_line) {
  for (const std::size_t size : {1u, 511u, 512u, 8191u, 8192u, 8193u, 70'000u, 300'000u}) {
    const auto text = pattern(size);
    auto bytes = shared(text);
    for (const std::size_t capacity : {10u, 600u, 9000u, 1'000'000u}) {
      MemoryStreamOptions options;
      options.capacity = capacity;
      End one{loop, options};
      End other{loop, options};
      for (auto* end : {&one, &other}) {
        write(*end, shared("small"));
        write(*end, bytes);
        write(*end, shared("small"));
        write(*end, bytes);
      }
      for (auto* end : {&one, &other}) {
        EXPECT_EQ(read_all(loop, *end->peer), "small" + text + "small" + text)
            << size << " bytes, " << capacity << " at once";
        EXPECT_EQ(end->output.backlog(), 0u);
      }
    }
  }
}

TEST_F(SharedOutput, goes_in_one_send_with_what_was_corked_before) {
  End end{loop, {}};
  {
    Turn turn{*loop};
    end.output.write(span_of("head"), {});
    end.output.write(shared(pattern(10'000)));
    EXPECT_EQ(memory_stream_transfers(*end.peer), 1u);
  }
  EXPECT_EQ(read_all(loop, *end.peer), "head" + pattern(10'000));
}

TEST_F(SharedOutput, keeps_what_a_slow_peer_has_not_taken_alive_and_no_longer) {
  MemoryStreamOptions options;
  options.capacity = 1000;
  auto end = std::make_unique<End>(loop, options);
  auto bytes = shared(pattern(20'000));
  write(*end, bytes);
  EXPECT_EQ(end->output.backlog(), 19'000u);
  EXPECT_EQ(bytes.owners(), 2u) << "referred to, not copied";
  bytes = {};
  EXPECT_EQ(read_all(loop, *end->peer), pattern(20'000));
  bytes = shared(pattern(20'000));
  write(*end, bytes);
  EXPECT_EQ(bytes.owners(), 2u);
  end.reset();
  EXPECT_EQ(bytes.owners(), 1u);
}

TEST_F(SharedOutput, tells_a_writer_that_waits_when_all_before_it_is_sent) {
  MemoryStreamOptions options;
  options.capacity = 1000;
  End end{loop, options};
  Fence fence;
  write(end, shared(pattern(high)), &fence);
  EXPECT_FALSE(fence.queued()) << "the backlog is not above the high-water mark";
  write(end, shared(pattern(high)), &fence);
  EXPECT_TRUE(fence.queued());
  EXPECT_EQ(read_all(loop, *end.peer), pattern(high) + pattern(high));
  EXPECT_EQ(fence.told, 1);
}

TEST_F(SharedOutput, a_line_that_fails_is_told_of_by_the_loop) {
  MemoryStreamOptions options;
  options.fail_at = 1;
  End end{loop, options};
  const auto bytes = shared(pattern(20'000));
  write(end, bytes);
  EXPECT_EQ(end.failure, 0);
  loop.settle();
  EXPECT_EQ(end.failure, EIO);
  EXPECT_EQ(bytes.owners(), 1u);
  write(end, bytes);
  EXPECT_EQ(bytes.owners(), 1u);
}

}  // namespace
}  // namespace hotline
