#include <hotline/base/entropy.h>

#include <algorithm>
#include <array>
#include <set>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace hotline {
namespace {

TEST(SystemEntropy, fills_all_that_it_is_given_whatever_its_size) {
  // Sizes that meet the end of what is read from the kernel at once, and go beyond it.
  for (const std::size_t size : {1u, 3u, 1000u, 1023u, 1024u, 5000u}) {
    std::vector<std::byte> once(size + 1);
    std::vector<bool> touched(size);
    // A byte is 0 by chance one time in 256, never 20 times in a row.
    for (int i = 0; i < 20; ++i) {
      system_entropy().fill(std::span{once}.first(size));
      for (std::size_t at = 0; at < size; ++at) {
        if (once[at] != std::byte{}) touched[at] = true;
      }
    }
    EXPECT_EQ(std::count(touched.begin(), touched.end(), false), 0) << size;
    EXPECT_EQ(once[size], std::byte{}) << "behind the end";
  }
}

TEST(SystemEntropy, repeats_nothing_and_gives_each_thread_its_own) {
  std::set<std::uint64_t> numbers;
  for (int i = 0; i < 1000; ++i) numbers.insert(system_entropy().number());
  std::thread{[&] {
    for (int i = 0; i < 1000; ++i) numbers.insert(system_entropy().number());
  }}.join();
  EXPECT_EQ(numbers.size(), 2000u);
}

TEST(SeededEntropy, gives_the_same_for_the_same_seed_alone) {
  const auto drawn = [](std::uint64_t seed) {
    SeededEntropy entropy{seed};
    std::array<std::byte, 21> bytes{};
    entropy.fill(bytes);
    return std::pair{bytes, entropy.number()};
  };
  EXPECT_EQ(drawn(7), drawn(7));
  EXPECT_NE(drawn(7).first, drawn(8).first);
  EXPECT_NE(drawn(7).second, drawn(8).second);
}

}  // namespace
}  // namespace hotline
