#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

#include <hotline/net/stream.h>

namespace hotline {

class Loop;

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
