#pragma once

#include <string>
#include <utility>

#include <hotline/base/error.h>

namespace hotline::http {

/// A proxy that does not connect: Error (proxy_refused).
class ProxyRefused : public Error {
 public:
  ProxyRefused(const std::string& context, int status, std::string authentication, std::string body)
      : Error(Fault::proxy_refused, context),
        status_(status),
        authentication_(std::move(authentication)),
        body_(std::move(body)) {}

  /// Of an HTTP proxy's answer, 407 where it wants to know who asks; of SOCKS5 the reply's code, or
  /// 255 where it does not accept who asks.
  int status() const noexcept { return status_; }
  /// What the answer's Proxy-Authenticate fields say, one behind the other; as the proxy sent it.
  const std::string& authentication() const noexcept { return authentication_; }
  /// The first KiB of the answer's body, as the proxy sent it.
  const std::string& body() const noexcept { return body_; }

 private:
  int status_;
  std::string authentication_;
  std::string body_;
};

}  // namespace hotline::http
