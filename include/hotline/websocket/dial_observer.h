#pragma once

#include <string_view>

#include <hotline/base/clock.h>
#include <hotline/net/tls_info.h>

namespace hotline::websocket {

/// The steps of a dial, in their order. A proxy or TLS may be left out.
enum class DialStep { name, connect, proxy, tls, upgrade };

/// "name", "connect", "proxy", "tls", "upgrade". Static storage.
std::string_view name(DialStep step) noexcept;

/// Sees what a Dialer does (DialerOptions::dial_observer). It is called on the loops' threads, on
/// several at once: thread-safe, quick, never waiting. Views are valid during the call.
class DialObserver {
 public:
  DialObserver() = default;
  DialObserver(const DialObserver&) = delete;
  DialObserver& operator=(const DialObserver&) = delete;
  virtual ~DialObserver() = default;

  /// A step has succeeded, and took so long.
  virtual void done(DialStep, Duration) noexcept {}
  /// TLS with the server has come to this; the proxy's is not told.
  virtual void secured(const TlsInfo&) noexcept {}
  /// The head of a request, as it goes over the wire, with the empty line at its end. It may hold
  /// secrets: Authorization, cookies.
  virtual void request(std::string_view) noexcept {}
  /// The head of a response, as it came, with the empty line at its end; also of one that refuses,
  /// redirects, or is an interim one (1xx). Written by a stranger.
  virtual void response(std::string_view) noexcept {}
  /// The dial goes on there.
  virtual void redirect(std::string_view) noexcept {}
};

}  // namespace hotline::websocket
