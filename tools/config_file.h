#pragma once

#include <string>

#include "tools/serve_options.h"

namespace hotline::tools {

/// Reads a configuration file: TOML, whose table [serve] has the names of the command line's
/// options as keys. An option that is repeatable takes a text or a list of them; sizes may be plain
/// numbers of bytes. Throws UsageError for what is wrong in it, with the file and the line, and
/// std::runtime_error where it cannot be read.
void read_config_file(const std::string& path, ServeOptions& options);

}  // namespace hotline::tools
