#pragma once

#include <chrono>
#include <string>
#include <vector>

#include <hotline/websocket/limits.h>

/// What is wrong with options that Upgraders and Dialers share: each throws Error (bad_option) that
/// names the option and the value.
namespace hotline::websocket {

void check_limits(const Limits& limits);
void check_subprotocols(const std::vector<std::string>& names);
/// More than 0, and at most 365 days.
void check_time(std::chrono::milliseconds value, const std::string& name);

}  // namespace hotline::websocket
