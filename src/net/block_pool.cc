#include "net/block_pool.h"

#include <cstdlib>
#include <new>

#if defined(__SANITIZE_ADDRESS__)
#define HOTLINE_ASAN 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOTLINE_ASAN 1
#endif
#endif
#if defined(HOTLINE_ASAN)
#include <sanitizer/asan_interface.h>
#endif

namespace hotline {
namespace {

void poison([[maybe_unused]] char* block) noexcept {
#if defined(HOTLINE_ASAN)
  ASAN_POISON_MEMORY_REGION(block, BlockPool::block_size);
#endif
}

void unpoison([[maybe_unused]] char* block) noexcept {
#if defined(HOTLINE_ASAN)
  ASAN_UNPOISON_MEMORY_REGION(block, BlockPool::block_size);
#endif
}

}  // namespace

BlockPool::~BlockPool() {
  for (auto* block : free_) {
    unpoison(block);
    std::free(block);
  }
}

std::span<char> BlockPool::take() {
  char* block = nullptr;
  if (!free_.empty()) {
    block = free_.back();
    free_.pop_back();
    unpoison(block);
  } else {
    if (free_.capacity() < most_at_rest)
      free_.reserve(most_at_rest);  // so that giving back never throws
    block = static_cast<char*>(std::malloc(block_size));
    if (!block) throw std::bad_alloc();
  }
  ++taken_;
  return {block, block_size};
}

void BlockPool::give_back(char* block) noexcept {
  --taken_;
  if (free_.size() == most_at_rest) {
    std::free(block);
    return;
  }
  poison(block);
  free_.push_back(block);
}

}  // namespace hotline
