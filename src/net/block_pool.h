#pragma once

#include <cstddef>
#include <span>
#include <vector>

namespace hotline {

/// Receive blocks of one loop. A connection takes one when bytes arrive and gives it back when
/// nothing of it is in anybody's hands, so that there are about as many as connections being served
/// at one moment. Under AddressSanitizer the blocks at rest are poisoned.
class BlockPool {
 public:
  static constexpr std::size_t block_size = 64 * 1024;

  BlockPool() = default;
  BlockPool(const BlockPool&) = delete;
  BlockPool& operator=(const BlockPool&) = delete;
  ~BlockPool();

  std::span<char> take();
  void give_back(char* block) noexcept;

  std::size_t taken() const noexcept { return taken_; }
  std::size_t at_rest() const noexcept { return free_.size(); }

 private:
  // 4 MiB at rest: a burst's blocks beyond that go back to the system.
  static constexpr std::size_t most_at_rest = 64;

  std::vector<char*> free_;
  std::size_t taken_ = 0;
};

}  // namespace hotline
