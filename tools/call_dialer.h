#pragma once

#include <hotline/websocket/dialer.h>

#include "tools/call_options.h"

namespace hotline::tools {

/// What the options of a call mean for its dials.
websocket::DialerOptions dialer_options(const CallOptions& options);

}  // namespace hotline::tools
