#pragma once

#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <hotline/net/stream.h>

namespace hotline {

class Loop;

/// What went over a pair of in-memory streams: a line for each transfer that was tried. With the
/// same seed the same program gives the same recording, to the byte.
class Recording {
 public:
  struct Entry {
    int end = 0;           ///< 0: the first of the pair, 1: the second
    bool written = false;  ///< by that end; otherwise read
    int error = 0;         ///< EAGAIN: it would block
    std::string bytes = {};
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  void add(Entry entry) { entries_.push_back(std::move(entry)); }
  const std::vector<Entry>& entries() const noexcept { return entries_; }
  /// All that an end has written.
  std::string written_by(int end) const;
  /// For people: "0 writes 5: hello", bytes escaped; a transfer to the line.
  std::string text() const;

 private:
  std::vector<Entry> entries_;
};

/// How a pair of in-memory streams behaves. Everything that is left to chance follows from `seed`.
struct MemoryStreamOptions {
  /// Bytes on their way in each direction before a write would block.
  std::size_t capacity = 256 * 1024;
  /// A transfer moves at most this many bytes (at least one); 0: as many as fit.
  std::size_t largest_transfer = 0;
  /// With it, each transfer's size is drawn from 1 to `largest_transfer` (or to what fits).
  bool random_sizes = false;
  /// One transfer in this many comes to nothing first (would block, then ready again); 0: never.
  unsigned stall_one_in = 0;
  /// Both ends are reset at this transfer, counted over both from 1; 0: never.
  std::uint64_t reset_at = 0;
  /// This transfer, counted over both ends from 1, fails with `failure`; 0: never.
  std::uint64_t fail_at = 0;
  /// An errno value.
  int failure = EIO;
  /// A readiness is told up to this many rounds of the loop later than it could be, by chance: so
  /// the order of wake-ups changes. 0: at once.
  unsigned late_wakeups = 0;
  /// Is told of every transfer, if set.
  std::shared_ptr<Recording> recording = nullptr;
  std::uint64_t seed = 1;
};

/// Two connected streams without a socket, both of `loop`: what is written to one is read from the
/// other. Readiness is told by the loop, never from inside a call. For tests.
std::pair<StreamPointer, StreamPointer> make_memory_streams(
    Loop& loop, const MemoryStreamOptions& options = {});

/// Transfers tried on a pair so far, by either of its ends: where `reset_at` and `fail_at` can
/// point.
std::uint64_t memory_stream_transfers(const Stream& stream) noexcept;

/// Memory streams alive on this thread: a test ends with the number it began with.
std::int64_t live_memory_streams() noexcept;

}  // namespace hotline
