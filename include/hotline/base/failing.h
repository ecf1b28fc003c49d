#pragma once

namespace hotline::detail {

/// Whether a chain is being destroyed just now that an exception has ended: what its frames own is
/// told no other way, since the exception flies no more.
inline constinit thread_local bool failed_chain_ends = false;

}  // namespace hotline::detail
