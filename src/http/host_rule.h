#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace hotline::http {

/// Which names a server answers to. A page anywhere can point a name of its own at 127.0.0.1 and
/// pass for same-origin there (DNS rebinding), so a loopback listener knows localhost, IP literals,
/// and the names it is told; so does any listener that is told names.
class HostRule {
 public:
  HostRule(bool loopback, std::vector<std::string> names)
      : any_(!loopback && names.empty()), names_(std::move(names)) {}

  /// `host`: the value of a well-formed Host field; "" where there is none (HTTP/1.0, no browser).
  bool allows(std::string_view host) const noexcept;

 private:
  bool any_;
  std::vector<std::string> names_;
};

/// What holds for a connection, whatever is asked on it.
struct ConnectionRules {
  const HostRule& hosts;  // outlives the connection
  /// Whether a trusted proxy at its other end is believed. Not where PROXY protocol has named
  /// nobody: what is said then is said by somebody behind that proxy.
  bool forwarded = true;
};

}  // namespace hotline::http
