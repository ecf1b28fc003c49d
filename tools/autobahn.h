#pragma once

#include <string>

namespace hotline::tools {

/// Runs the cases of the Autobahn Testsuite's fuzzing server at `url`: echoes all that each sends,
/// and asks for the report. The program's exit status.
int run_autobahn(const std::string& url);

}  // namespace hotline::tools
