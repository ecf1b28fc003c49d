#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <hotline/base/task.h>
#include <hotline/net/proxy_options.h>
#include <hotline/net/stream.h>

#include "net/connector.h"

namespace hotline {
class TlsClient;
}

namespace hotline::http {

/// A proxy that has been chosen.
struct Proxy {
  enum class Kind : std::uint8_t { http, https, socks5 };

  Kind kind = Kind::http;
  std::string host;  ///< without brackets
  std::uint16_t port = 0;
  std::string user, password;  ///< decoded; both empty: none

  /// "http://host:port", without user and password: for messages.
  std::string name() const;
};

/// Looks up a variable of the environment; null where it is not set.
using Environment = std::function<const char*(const char* name)>;

/// The proxy for a connection to `host` (without brackets, perhaps with a zone), or none. `secure`:
/// with TLS (wss). Throws Error (bad_option) that names the option or variable whose value is no
/// proxy's URL.
std::optional<Proxy> choose_proxy(const ProxyOptions& options, bool secure, std::string_view host,
                                  std::uint16_t port);
/// The same with another environment.
std::optional<Proxy> choose_proxy(const ProxyOptions& options, bool secure, std::string_view host,
                                  std::uint16_t port, const Environment& environment);

/// Connects to `host` through the proxy, which looks up the name: a stream whose other end is the
/// target. `tls` is for https proxies, and may be null for others. Throws Error: as connect_tcp
/// does where the proxy cannot be reached, or tls_connect; proxy_refused, with its reason;
/// proxy_failed where it breaks the protocol.
Task<StreamPointer> connect_through(Proxy proxy, std::string host, std::uint16_t port,
                                    std::shared_ptr<const TlsClient> tls,
                                    ConnectTimings* timings = nullptr);

}  // namespace hotline::http
