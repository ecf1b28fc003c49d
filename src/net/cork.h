#pragma once

#include <atomic>
#include <cstddef>
#include <memory>
#include <span>

namespace hotline {

class Output;

/// Where small writes of one turn gather before they go out in one send. One per loop; it belongs
/// to one output at a time, and is flushed when another one writes, when it is full, and at the end
/// of the turn.
class Cork {
 public:
  static constexpr std::size_t capacity = 64 * 1024;

  Cork();
  Cork(const Cork&) = delete;
  Cork& operator=(const Cork&) = delete;

  bool belongs_to(const Output& output) const noexcept { return owner_ == &output; }
  /// Makes `output` the owner, flushing another's bytes first.
  void take(Output& output) noexcept;
  std::span<char> free() noexcept { return {buffer_.get() + size_, capacity - size_}; }
  void commit(std::size_t size) noexcept { size_ += size; }
  std::span<const char> bytes() const noexcept { return {buffer_.get(), size_}; }
  std::size_t size() const noexcept { return size_; }
  /// The bytes have gone elsewhere.
  void clear() noexcept {
    owner_ = nullptr;
    size_ = 0;
  }
  void flush() noexcept;

  /// Turns nest; the outermost one flushes at its end. Outside of turns nobody would.
  void enter() noexcept { ++turns_; }
  void leave() noexcept {
    if (turns_ == 1) flush();
    --turns_;
  }
  bool in_turn() const noexcept { return turns_ > 0; }

  /// What the sockets of all outputs on this loop have not taken, in bytes. From any thread.
  std::size_t backlog() const noexcept { return backlog_.load(std::memory_order_relaxed); }
  // Outputs call these. Only the loop's thread writes, so no atomic addition is needed.
  void backlog_grew(std::size_t size) noexcept {
    backlog_.store(backlog() + size, std::memory_order_relaxed);
  }
  void backlog_shrank(std::size_t size) noexcept {
    backlog_.store(backlog() - size, std::memory_order_relaxed);
  }

 private:
  std::atomic<std::size_t> backlog_ = 0;
  std::unique_ptr<char[]> buffer_;
  Output* owner_ = nullptr;
  std::size_t size_ = 0;
  int turns_ = 0;
};

}  // namespace hotline
