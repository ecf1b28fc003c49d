#pragma once

#include "tools/call_options.h"

namespace hotline::tools {

/// Makes the call, and talks until one side hangs up: `hotline call`. The program's exit status.
/// Throws UsageError for options that do not fit.
int call(const CallOptions& options);

}  // namespace hotline::tools
