#include <hotline/protocol/body_buffer.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/allocations.h"

namespace hotline::protocol {
namespace {

class Buffers : public testing::Test {
 protected:
  void SetUp() override { BodyBuffer::trim_cache(); }
  void TearDown() override { BodyBuffer::trim_cache(); }

  static BodyBuffer buffer_of(std::size_t capacity) {
    BodyBuffer buffer;
    EXPECT_TRUE(buffer.reserve(capacity));
    return buffer;
  }
  static void complete_and_drop(std::size_t capacity) {
    BodyBuffer buffer = buffer_of(capacity);
    buffer.complete();
  }
  static std::string_view content(const BodyBuffer& buffer) {
    return {buffer.data(), buffer.size()};
  }
};

constexpr std::size_t mebi = std::size_t{1} << 20;

TEST_F(Buffers, OneIsEmptyAtFirstAndOnePointerWide) {
  const BodyBuffer buffer;
  EXPECT_EQ(buffer.data(), nullptr);
  EXPECT_EQ(buffer.size(), 0U);
  EXPECT_EQ(buffer.capacity(), 0U);
  EXPECT_TRUE(buffer.free_part().empty());
  static_assert(sizeof(BodyBuffer) == sizeof(void*));
}

TEST_F(Buffers, OneGrowsAndKeepsItsBytes) {
  BodyBuffer buffer;
  for (std::size_t i = 0; i < 1000; ++i) {
    ASSERT_TRUE(buffer.reserve(i + 1));
    buffer.free_part().front() = static_cast<char>('a' + i % 26);
    buffer.commit(1);
  }
  ASSERT_EQ(buffer.size(), 1000U);
  for (std::size_t i = 0; i < 1000; ++i)
    ASSERT_EQ(buffer.span()[i], static_cast<char>('a' + i % 26));
}

TEST_F(Buffers, OneNeverShrinks) {
  BodyBuffer buffer = buffer_of(100);
  EXPECT_TRUE(buffer.reserve(10));
  EXPECT_EQ(buffer.capacity(), 100U);
}

TEST_F(Buffers, MoreThanThereIsIsRefusedAndHarmsNothing) {
  BodyBuffer buffer = BodyBuffer::copy_of(std::string_view{"safe"});
  EXPECT_FALSE(buffer.reserve(SIZE_MAX));
  EXPECT_FALSE(buffer.reserve(SIZE_MAX - 8));
  EXPECT_EQ(content(buffer), "safe");
}

TEST_F(Buffers, MovingLeavesNothingBehind) {
  BodyBuffer a = BodyBuffer::copy_of(std::string_view{"bytes"});
  BodyBuffer b{std::move(a)};
  EXPECT_EQ(a.data(), nullptr);
  EXPECT_EQ(content(b), "bytes");
  BodyBuffer c = buffer_of(1);
  c = std::move(b);
  EXPECT_EQ(b.data(), nullptr);
  EXPECT_EQ(content(c), "bytes");
  c = BodyBuffer{};
  EXPECT_EQ(c.data(), nullptr);
}

TEST_F(Buffers, ACompletedOneIsFoundAgain) {
  complete_and_drop(mebi);
  EXPECT_EQ(BodyBuffer::cached_bytes(), mebi);
  Allocations watched;
  const BodyBuffer again = BodyBuffer::cached(mebi);
  EXPECT_EQ(again.capacity(), mebi);
  EXPECT_EQ(again.size(), 0U);
  EXPECT_EQ(BodyBuffer::cached_bytes(), 0U);
  EXPECT_EQ(watched.count(), 0U);
}

TEST_F(Buffers, AnAbandonedOneIsFreed) {
  {
    const BodyBuffer buffer = buffer_of(mebi);
  }
  EXPECT_EQ(BodyBuffer::cached_bytes(), 0U);
  // Also if it once was a completed one.
  complete_and_drop(mebi);
  {
    const BodyBuffer buffer = BodyBuffer::cached(mebi);
  }
  EXPECT_EQ(BodyBuffer::cached_bytes(), 0U);
}

TEST_F(Buffers, AnOutgrownOneIsFreed) {
  complete_and_drop(mebi);
  BodyBuffer buffer = BodyBuffer::cached(mebi);
  ASSERT_TRUE(buffer.reserve(2 * mebi));
  EXPECT_EQ(BodyBuffer::cached_bytes(), 0U);
}

TEST_F(Buffers, TheSmallestThatFitsIsTaken) {
  complete_and_drop(2 * mebi);
  complete_and_drop(mebi);
  complete_and_drop(3 * mebi);
  EXPECT_EQ(BodyBuffer::cached(mebi + 1).capacity(), 2 * mebi);
  EXPECT_EQ(BodyBuffer::cached(4 * mebi).capacity(), 0U);
}

TEST_F(Buffers, OneThatIsMuchTooLargeIsNotTaken) {
  complete_and_drop(mebi);
  EXPECT_EQ(BodyBuffer::cached(1000).capacity(), 0U);
  EXPECT_EQ(BodyBuffer::cached(mebi / 4 - 1).capacity(), 0U);
  EXPECT_EQ(BodyBuffer::cached(mebi / 4).capacity(), mebi);
}

TEST_F(Buffers, TheCacheIsBoundedAndKeepsTheLatest) {
  for (std::size_t i = 0; i < 100; ++i) complete_and_drop(mebi + i);
  EXPECT_LE(BodyBuffer::cached_bytes(), BodyBuffer::cache_limit);
  EXPECT_GE(BodyBuffer::cached_bytes(), BodyBuffer::cache_limit - 2 * mebi);
  EXPECT_EQ(BodyBuffer::cached(mebi + 99).capacity(), mebi + 99);
  EXPECT_EQ(BodyBuffer::cached(mebi).capacity(), mebi + 99 - 30);

  for (std::size_t i = 0; i < 100; ++i) complete_and_drop(100 + i);
  EXPECT_EQ(BodyBuffer::cached(199).capacity(), 199U);
  EXPECT_EQ(BodyBuffer::cached(1).capacity(), 100 + 100 - BodyBuffer::cache_slots);

  complete_and_drop(BodyBuffer::cache_limit + 1);
  EXPECT_LE(BodyBuffer::cached_bytes(), BodyBuffer::cache_limit);
}

TEST_F(Buffers, TwoLargeMessagesOrManySmallerOnesStay) {
  complete_and_drop(16 * mebi);
  complete_and_drop(16 * mebi);
  EXPECT_EQ(BodyBuffer::cached_bytes(), 32 * mebi);
  BodyBuffer::trim_cache();
  complete_and_drop(16 * mebi);
  for (int i = 0; i < 8; ++i) complete_and_drop(mebi);
  EXPECT_EQ(BodyBuffer::cached_bytes(), 24 * mebi);
}

TEST_F(Buffers, OneThatGoesToAnotherThreadIsFreedThere) {
  BodyBuffer buffer = buffer_of(mebi);
  buffer.complete();
  std::size_t there = 1;
  std::thread{[&there, moved = std::move(buffer)]() mutable {
    moved = BodyBuffer{};
    there = BodyBuffer::cached_bytes();
  }}.join();
  EXPECT_EQ(there, 0U);
  EXPECT_EQ(BodyBuffer::cached_bytes(), 0U);
}

TEST_F(Buffers, AThreadsCacheEndsWithIt) {
  // The leak checker watches; besides, one that is dropped after the cache has gone must not use
  // it.
  struct Late {
    BodyBuffer buffer;
  };
  std::thread{[] {
    thread_local Late late;  // constructed before the cache, so destroyed after it
    late.buffer = BodyBuffer{};
    complete_and_drop(mebi);
    late.buffer = buffer_of(mebi);
    late.buffer.complete();
  }}.join();
}

}  // namespace
}  // namespace hotline::protocol
