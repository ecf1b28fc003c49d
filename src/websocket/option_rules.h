#pragma once

#include <string>
#include <vector>

#include <hotline/websocket/limits.h>

/// What is wrong with options that Upgraders and Dialers share: each throws Error (bad_option) that
/// names the option and the value.
namespace hotline::websocket {

void check_limits(const Limits& limits);
void check_subprotocols(const std::vector<std::string>& names);

}  // namespace hotline::websocket
