#pragma once

#include <cstddef>
#include <span>
#include <utility>

namespace hotline::protocol {

/// A growable byte buffer for one message: move-only, one pointer wide.
///
/// The buffers of completed messages return, when they are destroyed on the thread that allocated
/// them, to a cache of that thread; a peer that sends one large message after another then costs no
/// page faults. Buffers that were outgrown, abandoned, or destroyed elsewhere are freed. The cache
/// keeps at most `cache_limit` bytes in `cache_slots` buffers, the most recently used ones.
///
/// Nothing here throws: what may allocate returns false, or an empty buffer, when memory is out.
/// One object is for one thread at a time.
class BodyBuffer {
 public:
  /// Room for a 16 MiB message being received and one in a handler's hands. Measured with one such
  /// connection and four of 1 MiB messages: 4.6 ms without a cache, 4.1 with 8 MiB, 3.4 with 24 or
  /// 32, 3.4 with 64.
  static constexpr std::size_t cache_limit = std::size_t{32} << 20;
  static constexpr std::size_t cache_slots = 32;

  BodyBuffer() noexcept = default;
  BodyBuffer(BodyBuffer&& other) noexcept : header_{std::exchange(other.header_, nullptr)} {}
  BodyBuffer& operator=(BodyBuffer&& other) noexcept {
    if (this != &other) {
      reset();
      header_ = std::exchange(other.header_, nullptr);
    }
    return *this;
  }
  ~BodyBuffer() { reset(); }

  /// The smallest cached buffer that holds `size` bytes without wasting much, or an empty one.
  /// Never allocates, so `size` may be what a peer declares.
  [[nodiscard]] static BodyBuffer cached(std::size_t size) noexcept;
  /// A copy in a buffer of just that size.
  [[nodiscard]] static BodyBuffer copy_of(std::span<const char> bytes) noexcept;

  /// Null for a buffer without memory.
  [[nodiscard]] char* data() const noexcept { return header_ == nullptr ? nullptr : bytes(); }
  [[nodiscard]] std::size_t size() const noexcept { return header_ == nullptr ? 0 : header_->size; }
  [[nodiscard]] std::size_t capacity() const noexcept {
    return header_ == nullptr ? 0 : header_->capacity;
  }
  [[nodiscard]] bool empty() const noexcept { return size() == 0; }
  /// The bytes held.
  [[nodiscard]] std::span<char> span() const noexcept { return {data(), size()}; }
  /// The memory behind them.
  [[nodiscard]] std::span<char> free_part() const noexcept {
    return header_ == nullptr ? std::span<char>{}
                              : std::span<char>{bytes() + size(), capacity() - size()};
  }

  /// Makes the capacity at least `capacity`, exactly that if it must grow; the bytes may move.
  [[nodiscard]] bool reserve(std::size_t capacity) noexcept;
  /// Counts `size` bytes written to the front of free_part() as held.
  void commit(std::size_t size) noexcept;

  /// Says that the message is complete: the memory is worth keeping once it is no longer needed.
  void complete() noexcept;

  /// Frees what the calling thread's cache keeps.
  static void trim_cache() noexcept;
  /// The bytes that the calling thread's cache keeps.
  [[nodiscard]] static std::size_t cached_bytes() noexcept;

 private:
  friend class BodyCache;

  // Stands in front of the bytes. Its size keeps them aligned as malloc does.
  struct alignas(16) Header {
    std::size_t size;
    std::size_t capacity;
    const void* owner;  // the cache of the thread that allocated it
    bool complete;
  };

  explicit BodyBuffer(Header* header) noexcept : header_{header} {}
  [[nodiscard]] char* bytes() const noexcept { return reinterpret_cast<char*>(header_ + 1); }
  void reset() noexcept {
    if (header_ != nullptr) release();
  }
  void release() noexcept;

  Header* header_ = nullptr;
};

}  // namespace hotline::protocol
