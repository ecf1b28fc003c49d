#pragma once

#include <string>

#include "tools/serve_options.h"

namespace hotline::tools {

/// Serves until it is told to stop. The program's exit status. Throws UsageError for options that
/// do not fit, Error or std::runtime_error where it cannot begin.
int serve(ServeOptions options);

/// The library speaks of its own options; so does this of those of the command line.
std::string in_words_of_the_command_line(std::string what);

}  // namespace hotline::tools
