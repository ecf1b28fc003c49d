#pragma once

#include <cstdint>
#include <functional>

#include <hotline/net/memory_stream.h>

namespace hotline::testing {

/// Whether faults() may cut the line, too.
enum class Resets { never, sometimes };

/// A bad line, all of whose badness follows from the seed: transfers of one byte or of chance
/// sizes, stalls, little room, wake-ups out of order, and perhaps a reset somewhere.
MemoryStreamOptions faults(std::uint64_t seed, Resets resets = Resets::never);

/// Calls `test` with each seed from 1 to `count`; if the environment has HOTLINE_SEED, with that
/// one only. What it throws is thrown on as std::runtime_error that names the seed, so that the
/// same run can be had again: same seed, same bytes in the same transfers (Recording).
void for_each_seed(std::uint64_t count, const std::function<void(std::uint64_t)>& test);

}  // namespace hotline::testing
