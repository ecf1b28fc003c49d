#pragma once

#include <string>

#include <hotline/net/tls_options.h>

namespace hotline {

/// Through which proxy a client connects.
struct ProxyOptions {
  /// "http://user:password@host:port" (HTTP CONNECT), "https://..." (the same, TLS to the proxy),
  /// "socks5://..." or "socks5h://..." (RFC 1928; either way the proxy looks up the name). Ports by
  /// default: 80, 443, 1080. A bare "host:port" is http. User and password are percent-decoded.
  /// Empty: what the environment says.
  std::string url = {};
  /// Where `url` is empty: https_proxy for wss, http_proxy for ws, else all_proxy, or the same in
  /// capitals (but HTTP_PROXY not where REQUEST_METHOD is set: in a CGI program it is a header of
  /// the client's); no_proxy names hosts that are connected to directly. Never for localhost,
  /// loopback addresses, and link-local ones with their zone. False: no proxy.
  bool from_environment = true;
  /// With `url`: hosts that are connected to directly, in the form of no_proxy: names, which stand
  /// for what is below them too, IP addresses, networks (10.0.0.0/8), each with a port or not, or
  /// "*", separated by commas.
  std::string bypass = {};
  /// For https proxies: what they must prove. Those of the target are others.
  TlsClientOptions tls = {};
};

}  // namespace hotline
