#include "websocket/option_rules.h"

#include <algorithm>

#include <hotline/base/error.h>

#include "base/header_tokens.h"
#include "base/time_option.h"

namespace hotline::websocket {
namespace {

[[noreturn]] void reject(const std::string& what) { throw Error(Fault::bad_option, what); }

}  // namespace

void check_limits(const Limits& limits) {
  const auto positive = [](auto value, const char* name) {
    if (value <= decltype(value){}) {
      reject(std::string("limits.") + name + ": 0 is not a limit");
    }
  };
  positive(limits.message_size, "message_size");
  positive(limits.fragments, "fragments");
  check_time(limits.message_time, "limits.message_time");
  check_time(limits.ping_interval, "limits.ping_interval");
  check_time(limits.ping_timeout, "limits.ping_timeout");
  check_time(limits.idle_timeout, "limits.idle_timeout");
  check_time(limits.close_grace, "limits.close_grace");
}

void check_subprotocols(const std::vector<std::string>& names) {
  for (const auto& name : names) {
    if (!is_token(name)) reject("subprotocols: \"" + escaped(name) + "\" is not a token");
    if (std::count(names.begin(), names.end(), name) > 1) {
      reject("subprotocols: \"" + name + "\" stands twice");
    }
  }
}

}  // namespace hotline::websocket
