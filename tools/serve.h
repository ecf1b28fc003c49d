#pragma once

#include "tools/serve_options.h"

namespace hotline::tools {

/// Serves until it is told to stop. The program's exit status. Throws UsageError for options that
/// do not fit, Error or std::runtime_error where it cannot begin.
int serve(const ServeOptions& options);

}  // namespace hotline::tools
