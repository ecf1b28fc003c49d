#include "net/block_pool.h"

#include <set>
#include <vector>

#include <gtest/gtest.h>

#if defined(__SANITIZE_ADDRESS__)
#define HOTLINE_TEST_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOTLINE_TEST_ASAN 1
#endif
#endif
#if defined(HOTLINE_TEST_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace hotline {
namespace {

TEST(BlockPool, gives_whole_blocks_and_counts_those_taken) {
  BlockPool pool;
  const auto a = pool.take();
  const auto b = pool.take();
  EXPECT_EQ(a.size(), BlockPool::block_size);
  EXPECT_NE(a.data(), b.data());
  EXPECT_EQ(pool.taken(), 2u);
  a.front() = a.back() = 'a';
  b.front() = b.back() = 'b';
  EXPECT_EQ(a.front(), 'a');
  pool.give_back(a.data());
  pool.give_back(b.data());
  EXPECT_EQ(pool.taken(), 0u);
}

TEST(BlockPool, gives_the_warmest_block_again) {
  BlockPool pool;
  auto* first = pool.take().data();
  auto* second = pool.take().data();
  pool.give_back(first);
  pool.give_back(second);
  EXPECT_EQ(pool.take().data(), second);
  EXPECT_EQ(pool.take().data(), first);
  pool.give_back(first);
  pool.give_back(second);
}

TEST(BlockPool, keeps_four_mebibytes_at_most_and_writable_when_taken_again) {
  BlockPool pool;
  std::vector<char*> blocks;
  for (int i = 0; i < 100; ++i) blocks.push_back(pool.take().data());
  for (auto* block : blocks) pool.give_back(block);
  EXPECT_EQ(pool.at_rest(), 64u);
  std::set<char*> again;
  for (int i = 0; i < 100; ++i) {
    const auto block = pool.take();
    block.front() = block.back() = 'x';
    again.insert(block.data());
  }
  EXPECT_EQ(again.size(), 100u);
  EXPECT_EQ(pool.at_rest(), 0u);
  for (auto* block : again) pool.give_back(block);
}

#if defined(HOTLINE_TEST_ASAN)  // which alone sees it
TEST(BlockPool, poisons_what_is_at_rest) {
  BlockPool pool;
  const auto block = pool.take();
  EXPECT_EQ(__asan_region_is_poisoned(block.data(), block.size()), nullptr);
  pool.give_back(block.data());
  EXPECT_TRUE(__asan_address_is_poisoned(block.data()));
  EXPECT_TRUE(__asan_address_is_poisoned(block.data() + block.size() - 1));
  const auto again = pool.take();
  EXPECT_EQ(__asan_region_is_poisoned(again.data(), again.size()), nullptr);
  pool.give_back(again.data());
}
#endif

}  // namespace
}  // namespace hotline
