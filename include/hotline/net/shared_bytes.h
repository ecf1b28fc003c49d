#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <utility>

namespace hotline::detail {

/// Bytes with many owners, on any thread: one allocation, immutable once it has been filled. A
/// handle is a pointer; copying one counts.
class SharedBytes {
 public:
  SharedBytes() noexcept = default;
  /// `size` bytes to be filled, by writable(), before the first copy is made. Throws
  /// std::bad_alloc.
  explicit SharedBytes(std::size_t size) {
    auto* memory = size > SIZE_MAX - sizeof(Body) ? nullptr : std::malloc(sizeof(Body) + size);
    if (!memory) throw std::bad_alloc{};
    body_ = new (memory) Body{};
    body_->size = size;
  }
  SharedBytes(const SharedBytes& other) noexcept : body_(other.body_) {
    if (body_) body_->owners.fetch_add(1, std::memory_order_relaxed);
  }
  SharedBytes(SharedBytes&& other) noexcept : body_(std::exchange(other.body_, nullptr)) {}
  SharedBytes& operator=(SharedBytes other) noexcept {
    std::swap(body_, other.body_);
    return *this;
  }
  ~SharedBytes() {
    if (body_ && body_->owners.fetch_sub(1, std::memory_order_acq_rel) == 1) {
      body_->~Body();
      std::free(body_);
    }
  }

  explicit operator bool() const noexcept { return body_ != nullptr; }
  const char* data() const noexcept { return body_ ? bytes() : nullptr; }
  std::size_t size() const noexcept { return body_ ? body_->size : 0; }
  std::span<const char> span() const noexcept { return {data(), size()}; }
  /// How many handles there are; for tests.
  std::size_t owners() const noexcept { return body_ ? body_->owners.load() : 0; }
  std::span<char> writable() noexcept { return {body_ ? bytes() : nullptr, size()}; }

 private:
  struct Body {
    std::atomic<std::size_t> owners{1};
    std::size_t size = 0;
  };
  char* bytes() const noexcept { return reinterpret_cast<char*>(body_ + 1); }

  Body* body_ = nullptr;
};

}  // namespace hotline::detail
