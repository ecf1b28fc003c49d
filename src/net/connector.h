#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include <hotline/base/clock.h>
#include <hotline/base/task.h>
#include <hotline/net/stream.h>

#include "net/resolver.h"

namespace hotline {

/// How long the steps took, as far as it came.
struct ConnectTimings {
  std::optional<Duration> name;     ///< until there was an address to connect to
  std::optional<Duration> connect;  ///< from then on until one was connected to
  std::optional<Duration> proxy;    ///< from then on until a proxy had connected, if there is one
};

/// Connects to a name or an IP literal (without brackets; of a link-local one the zone may follow:
/// "fe80::1%eth0"). Names are asked for by c-ares, the hosts file included; localhost and what is
/// below it is this machine, without asking (RFC 6761 6.3). Of several addresses the first that
/// answers is taken (RFC 8305). `timings`, if given, outlive the
/// task.
///
/// There is no time limit but that of the name servers and of the system: see deadline(). Throws
/// Error: name_not_found, or errno's code with the addresses tried. Destroying the task is safe at
/// every point.
Task<StreamPointer> connect_tcp(std::string host, std::uint16_t port,
                                ConnectTimings* timings = nullptr);

/// The same, asking otherwise than the system is configured to; for tests.
Task<StreamPointer> connect_tcp(std::string host, std::uint16_t port, ResolverOptions resolver,
                                ConnectTimings* timings);

/// Connects to one address. Throws Error with errno's code that names it.
Task<StreamPointer> connect_address(Address address);

/// Connects to a unix socket. Throws Error with errno's code that names the path.
Task<StreamPointer> connect_unix(std::string path);

}  // namespace hotline
