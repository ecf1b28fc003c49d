#pragma once

#include <cstdint>
#include <span>
#include <string>

#include <hotline/base/task.h>
#include <hotline/net/stream.h>

#include "http/proxy.h"

namespace hotline::http {

/// What a client says to a proxy, step by step, before the stream is the target's. Reads no byte
/// more than it is asked to, so that nothing of the target's is lost.
class ProxyTalk {
 public:
  /// `name`: the proxy, for messages.
  ProxyTalk(StreamPointer stream, std::string name)
      : stream_(std::move(stream)), name_(std::move(name)) {}

  const std::string& name() const noexcept { return name_; }
  StreamPointer take_stream() noexcept { return std::move(stream_); }

  /// Sends all. These throw Error: errno's code, or proxy_failed where the proxy hangs up.
  Task<> send(std::string bytes);
  /// Fills `bytes`.
  Task<> receive(std::span<char> bytes);
  /// As many bytes as there are, at least one; 0 at the end.
  Task<std::size_t> receive_some(std::span<char> bytes);

  /// Throws Error (proxy_failed).
  [[noreturn]] void fail(const std::string& why) const;

 private:
  StreamPointer stream_;
  std::string name_;
};

/// Asks the proxy to connect (RFC 9110 9.3.6; RFC 1928 and 1929): returns when it has. Throws
/// ProxyRefused, and as ProxyTalk does; Error (bad_option) where the host cannot be sent. `talk`
/// and `proxy` outlive the task.
Task<> ask_http_proxy(ProxyTalk& talk, const Proxy& proxy, std::string host, std::uint16_t port);
Task<> ask_socks5_proxy(ProxyTalk& talk, const Proxy& proxy, std::string host, std::uint16_t port);

/// "host:port", an IPv6 address in brackets.
std::string authority(std::string_view host, std::uint16_t port);

}  // namespace hotline::http
