#pragma once

#include <string>
#include <string_view>

namespace hotline::tools {

/// What a user may write in place of a URL: "localhost:8080/echo" and ":8080" mean ws://. Throws
/// UsageError that says what was perhaps meant ("http://…").
std::string complete_url(std::string_view text);

}  // namespace hotline::tools
