#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <hotline/http/request.h>

#include "http/body_decoder.h"
#include "http/head_reader.h"

namespace hotline::http {

/// What a head says about the bytes behind it, and about the connection.
struct RequestTraits {
  BodyFraming body;
  bool expects_continue = false;  // RFC 9110 10.1.1
  bool keep_alive = false;        // RFC 9112 9.3
  std::string_view host;          // as sent; "" in HTTP/1.0 without one
};

/// Makes a Request out of a head that a HeadReader has found complete.
class RequestBuilder {
 public:
  /// Parses `head` and applies the request rules (RFC 9112 3.2, 6.1, 6.2); refuses what could be
  /// understood in two ways. The request's views are into `head`, which outlives it. `fields`: how
  /// many there are.
  static std::optional<Refusal> build(std::string_view head, std::size_t fields, Request& request,
                                      RequestTraits& traits);

  static void set_addresses(Request& request, const Address& remote, const Address& local) {
    request.remote_ = request.client_ = remote;
    request.local_ = local;
  }
  static void set_tls(Request& request, std::shared_ptr<const TlsInfo> tls) noexcept {
    request.secure_ = tls != nullptr;
    request.tls_ = std::move(tls);
  }
  /// What a trusted proxy says about its client. `host` outlives the request.
  static void set_client(Request& request, const Address& client, std::string_view host,
                         bool secure) {
    request.client_ = client;
    request.host_ = host;
    request.secure_ = secure;
  }
  /// The views outlive the request.
  static void set_route(Request& request, std::string_view pattern, std::string_view rest) {
    request.pattern_ = pattern;
    request.rest_ = rest;
  }
  static void add_parameter(Request& request, std::string_view name, std::string_view value) {
    request.parameters_.emplace_back(name, value);
  }

 private:
  class Parser;
};

/// The host of a Host field without its port and brackets ("[::1]:80" gives "::1"); nothing if it
/// is malformed (RFC 9110 7.2, RFC 3986 3.2).
std::optional<std::string_view> parse_host(std::string_view value) noexcept;

}  // namespace hotline::http
