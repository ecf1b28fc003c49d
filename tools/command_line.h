#pragma once

#include <optional>

#include "tools/call_options.h"
#include "tools/serve_options.h"

namespace hotline::tools {

enum class Command { serve, call };

/// What the program was called with. Prints help and version, and what is wrong, itself; `status`
/// is then what to end with.
struct CommandLine {
  std::optional<int> status;
  Command command = Command::serve;
  ServeOptions serve;
  CallOptions call;
};

/// The configuration file first, if one is named; what the command line says goes before what the
/// file says. Throws UsageError; std::runtime_error where the file cannot be read.
CommandLine parse_command_line(int argc, char** argv);

}  // namespace hotline::tools
