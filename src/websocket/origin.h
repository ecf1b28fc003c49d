#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hotline::websocket {

/// Scheme, host and port of an Origin header (RFC 6454 6.2), lower-case.
struct Origin {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;  // the scheme's default if none is given

  /// Nothing if it is not of the form scheme://host[:port]; "null" is not.
  static std::optional<Origin> parse(std::string_view text);

  /// Whether a page of this origin and a request for that Host header belong to the same host and
  /// port. A Host without a port has the default one of the origin's scheme: TLS may have ended at
  /// a proxy.
  bool is_host(std::string_view host_header) const;

  friend bool operator==(const Origin&, const Origin&) = default;
};

/// An entry of an allow-list: an origin, in which the first label of the host may be "*".
class OriginPattern {
 public:
  static std::optional<OriginPattern> parse(std::string_view text);
  bool matches(const Origin& origin) const;

 private:
  Origin origin_;
  bool below_ = false;  // any name below the host
};

}  // namespace hotline::websocket
