#pragma once

#include <cstddef>
#include <span>
#include <string>

#include <hotline/net/segment.h>
#include <hotline/net/shared_bytes.h>
#include <hotline/net/stream.h>

#include "net/cork.h"

namespace hotline {

class Loop;

/// Told of what happens to an output after a write could not be finished at once. Each may destroy
/// it.
class OutputListener {
 public:
  /// The backlog has shrunk.
  virtual void output_progressed() noexcept = 0;
  /// The stream failed while writing; nothing more is sent.
  virtual void output_failed(int error) noexcept = 0;

 protected:
  ~OutputListener() = default;
};

/// The writing half of one connection: small writes through the loop's cork, large ones in one
/// system call from where they lie, and what the socket does not take in a backlog, in order.
class Output final : private Waiter {
 public:
  /// Above this many bytes of backlog a write waits.
  static constexpr std::size_t high_water = 64 * 1024;
  /// Up to this many bytes a write goes into the cork.
  static constexpr std::size_t corked_limit = 8 * 1024;
  /// Below this many bytes what is shared is copied into the backlog: less than keeping it alive.
  static constexpr std::size_t shared_least = 512;

  Output(Loop& loop, OutputListener& listener) noexcept;
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;
  ~Output() {
    if (gone_) *gone_ = true;
    detach();
    tell_all();  // where this is destroyed by somebody who is told of the detaching
  }

  void attach(Stream& stream) noexcept { stream_ = &stream; }
  /// Flushes what can be, drops the rest, and lets go of the stream. Segments still queued are
  /// told.
  void detach() noexcept;
  /// Detaches without sending any more: what was written and is not with the system, in order.
  /// Segments still queued are told.
  std::string take_unsent();

  /// Takes both parts whole. `waiting`: where the caller can wait, and its `body` stays valid until
  /// `sent()`; without it everything is copied. True: `waiting` is queued and will be told.
  bool write(std::span<const char> head, std::span<const char> body,
             detail::Segment* waiting = nullptr) noexcept;
  /// The same for bytes that have many owners: what cannot be sent at once is not copied, but kept
  /// alive. `waiting` is queued behind them if the backlog is above the high-water mark then.
  bool write(const detail::SharedBytes& bytes, detail::Segment* waiting = nullptr) noexcept;
  /// Queues `fence` behind the backlog if that is above the high-water mark. True: it will be told.
  bool wait_if_high(detail::Segment& fence) noexcept;
  /// Queues `fence` whatever the backlog: it is told when the loop has come round. For writers that
  /// never have to wait, to give others their turn. False: nothing can be sent any more.
  bool rest(detail::Segment& fence) noexcept;
  /// The caller's memory goes away: copies what of it is not sent yet. `segment` is not told.
  void abandon(detail::Segment& segment) noexcept;

  /// The quick way for small writes: where `size` bytes may be put, to be counted by commit(); null
  /// if they must take the long way, by write().
  char* room(std::size_t size) noexcept {
    if (first_ || !cork_.belongs_to(*this) || !cork_.in_turn() || cork_.free().size() < size) {
      return nullptr;
    }
    return cork_.free().data();
  }
  void commit(std::size_t size) noexcept { cork_.commit(size); }

  /// Sends what lies in the cork (Cork and Turn call this).
  void flush() noexcept;
  /// Sends what of this output lies in the cork.
  void flush_if_corked() noexcept;

  /// Bytes that the socket has not taken; without those in the cork.
  std::size_t backlog() const noexcept { return backlog_; }
  bool high() const noexcept { return backlog_ > high_water; }
  bool failed() const noexcept { return error_ != 0; }

 private:
  struct Owned;
  struct Shared;

  void ready() noexcept override;
  void take(Transfer transfer, std::span<const char> head, std::span<const char> body,
            detail::Segment* waiting) noexcept;
  void append_copy(std::span<const char> bytes) noexcept;
  void append_shared(const detail::SharedBytes& bytes, std::size_t from) noexcept;
  void append(detail::Segment& segment, std::span<const char> bytes) noexcept;
  static void free_own(detail::Segment* segment) noexcept;
  detail::Segment* pop() noexcept;
  void consume(std::size_t size) noexcept;
  void grow(std::size_t size) noexcept {
    backlog_ += size;
    cork_.backlog_grew(size);
  }
  void shrink(std::size_t size) noexcept {
    backlog_ -= size;
    cork_.backlog_shrank(size);
  }
  void tell_all() noexcept;
  void fail(int error) noexcept;
  void wait() noexcept;

  Cork& cork_;
  OutputListener& listener_;
  Stream* stream_ = nullptr;
  detail::Segment* first_ = nullptr;
  detail::Segment* last_ = nullptr;
  std::size_t backlog_ = 0;
  bool* gone_ = nullptr;  // set in a caller's frame when this is destroyed under it
  int error_ = 0;
  bool waiting_ = false;
};

}  // namespace hotline
