#include <hotline/protocol/body_buffer.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "protocol/poison.h"

namespace hotline::protocol {

/// One thread's buffers, the one used last in front.
class BodyCache {
 public:
  using Header = BodyBuffer::Header;

  BodyCache() noexcept = default;
  BodyCache(const BodyCache&) = delete;
  BodyCache& operator=(const BodyCache&) = delete;
  ~BodyCache() {
    trim();
    ended() = true;
  }

  /// Null once the thread is ending.
  static BodyCache* mine() noexcept {
    if (ended()) return nullptr;
    thread_local BodyCache cache;
    return &cache;
  }

  Header* take(std::size_t size) noexcept {
    // A stalled message must not sit on memory that others could use.
    const std::size_t most = std::max<std::size_t>(4096, size > SIZE_MAX / 4 ? SIZE_MAX : size * 4);
    std::size_t best = count_;
    for (std::size_t i = 0; i < count_; ++i) {
      const std::size_t capacity = buffers_[i]->capacity;
      if (capacity < size || capacity > most) continue;
      if (best == count_ || capacity < buffers_[best]->capacity) best = i;
    }
    if (best == count_) return nullptr;
    Header* const found = buffers_[best];
    std::copy(buffers_.data() + best + 1, buffers_.data() + count_, buffers_.data() + best);
    --count_;
    bytes_ -= found->capacity;
    unpoison(found + 1, found->capacity);
    return found;
  }

  void put(Header* buffer) noexcept {
    if (buffer->capacity > BodyBuffer::cache_limit) return std::free(buffer);
    while (count_ == buffers_.size() || bytes_ + buffer->capacity > BodyBuffer::cache_limit) {
      drop_last();
    }
    std::copy_backward(buffers_.data(), buffers_.data() + count_, buffers_.data() + count_ + 1);
    buffers_[0] = buffer;
    ++count_;
    bytes_ += buffer->capacity;
    buffer->size = 0;
    buffer->complete = false;
    poison(buffer + 1, buffer->capacity);
  }

  void trim() noexcept {
    while (count_ != 0) drop_last();
  }

  [[nodiscard]] std::size_t bytes() const noexcept { return bytes_; }

 private:
  static bool& ended() noexcept {
    thread_local bool value = false;  // trivial, so it outlives the cache
    return value;
  }

  void drop_last() noexcept {
    Header* const last = buffers_[--count_];
    bytes_ -= last->capacity;
    unpoison(last + 1, last->capacity);
    std::free(last);
  }

  std::array<Header*, BodyBuffer::cache_slots> buffers_{};
  std::size_t count_ = 0;
  std::size_t bytes_ = 0;
};

BodyBuffer BodyBuffer::cached(std::size_t size) noexcept {
  BodyCache* const cache = BodyCache::mine();
  return BodyBuffer{cache == nullptr ? nullptr : cache->take(size)};
}

BodyBuffer BodyBuffer::copy_of(std::span<const char> bytes) noexcept {
  BodyBuffer copy;
  if (!bytes.empty() && copy.reserve(bytes.size())) {
    std::memcpy(copy.data(), bytes.data(), bytes.size());
    copy.commit(bytes.size());
  }
  return copy;
}

bool BodyBuffer::reserve(std::size_t capacity) noexcept {
  if (capacity <= this->capacity() || capacity > SIZE_MAX - sizeof(Header)) {
    return capacity <= this->capacity();
  }
  const bool fresh = header_ == nullptr;
  auto* const grown = static_cast<Header*>(std::realloc(header_, sizeof(Header) + capacity));
  if (grown == nullptr) return false;
  if (fresh)
    *grown = Header{.size = 0, .capacity = 0, .owner = BodyCache::mine(), .complete = false};
  grown->capacity = capacity;
  header_ = grown;
  return true;
}

void BodyBuffer::commit(std::size_t size) noexcept { header_->size += size; }

void BodyBuffer::complete() noexcept {
  if (header_ != nullptr) header_->complete = true;
}

void BodyBuffer::release() noexcept {
  Header* const header = std::exchange(header_, nullptr);
  BodyCache* const cache = BodyCache::mine();
  if (header->complete && cache != nullptr && header->owner == cache) return cache->put(header);
  std::free(header);
}

void BodyBuffer::trim_cache() noexcept {
  if (BodyCache* const cache = BodyCache::mine()) cache->trim();
}

std::size_t BodyBuffer::cached_bytes() noexcept {
  const BodyCache* const cache = BodyCache::mine();
  return cache == nullptr ? 0 : cache->bytes();
}

}  // namespace hotline::protocol
