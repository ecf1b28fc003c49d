#include "tools/call_dialer.h"

#include <chrono>

#include "base/base64.h"
#include "base/time_option.h"

namespace hotline::tools {

websocket::DialerOptions dialer_options(const CallOptions& options) {
  websocket::DialerOptions dial;
  dial.subprotocols = options.subprotocols;
  dial.origin = options.origin;
  dial.headers = options.headers;
  if (!options.user.empty()) {
    dial.headers.emplace_back("Authorization", "Basic " + base64(options.user));
  }
  dial.limits.message_size = options.message_limit;
  dial.limits.fragments = 1 << 20;
  dial.limits.message_time = std::chrono::hours(1);
  dial.limits.idle_timeout = longest_time;
  dial.limits.close_grace = std::chrono::seconds(2);
  dial.timeout = options.timeout;
  dial.connect_to = options.connect_to;
  dial.tls.ca_file = options.ca;
  dial.tls.certificate_file = options.certificate;
  dial.tls.key_file = options.key.empty() ? options.certificate : options.key;
  dial.tls.dangerously_accept_any_certificate = options.insecure;
  // Of an https proxy the same is believed; our own certificate is the server's business only.
  dial.proxy.tls.ca_file = options.ca;
  dial.proxy.tls.dangerously_accept_any_certificate = options.insecure;
  if (options.proxy == "none") {
    dial.proxy.from_environment = false;
  } else {
    dial.proxy.url = options.proxy;
  }
  return dial;
}

}  // namespace hotline::tools
