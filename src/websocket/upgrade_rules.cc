#include "websocket/upgrade_rules.h"

#include <algorithm>

#include <hotline/base/error.h>
#include <hotline/protocol/handshake.h>

#include "base/header_tokens.h"

namespace hotline::websocket {

using http::Response;
using http::Status;

namespace {

std::vector<std::string_view> values(const http::Request& request, std::string_view name) {
  std::vector<std::string_view> result;
  for (const auto& field : request.headers()) {
    if (equals_ignoring_case(field.name, name)) result.push_back(field.value);
  }
  return result;
}

Refusal refuse(Status status, std::string_view reason, std::string text) {
  Refusal refusal{Response{status, std::move(text) + "\n"}, reason};
  refusal.response.add("X-Content-Type-Options", "nosniff");
  return refusal;
}

// RFC 9110 15.5.22: a 426 names what to upgrade to. The session puts the upgrade token into
// Connection.
Refusal upgrade_required(std::string_view reason, std::string text) {
  auto refusal = refuse(Status::upgrade_required, reason, std::move(text));
  refusal.response.add("Upgrade", "websocket");
  return refusal;
}

}  // namespace

std::optional<Refusal> Upgrader::State::refusal(
    const http::Request& request, std::optional<std::chrono::seconds> going_away) const {
  auto refusal = first_refusal(request, going_away);
  // What follows a request that wanted to leave HTTP is perhaps not HTTP: it is never parsed as
  // such.
  if (refusal && request.header_has_token("Upgrade", "websocket")) refusal->response.close();
  return refusal;
}

std::optional<Refusal> Upgrader::State::first_refusal(
    const http::Request& request, std::optional<std::chrono::seconds> going_away) const {
  if (request.method() != "GET") {
    auto refusal = refuse(Status::method_not_allowed, "method", "a WebSocket begins with GET");
    refusal.response.add("Allow", "GET");
    return refusal;
  }
  if (request.version() < 11 || !request.is_websocket_upgrade()) {
    return upgrade_required("not_a_websocket", "this is a WebSocket: connect with ws:// or wss://");
  }
  const auto length = request.header("Content-Length");
  if ((!length.empty() && length.find_first_not_of('0') != std::string_view::npos) ||
      request.header_count("Transfer-Encoding") > 0 || request.header_count("Expect") > 0) {
    return refuse(Status::bad_request, "body", "a request to upgrade has no body");
  }
  const auto versions = request.header_count("Sec-WebSocket-Version");
  if (versions < 2 && request.header("Sec-WebSocket-Version") != protocol::websocket_version) {
    auto refusal = upgrade_required("version", "Sec-WebSocket-Version must be 13");
    refusal.response.add("Sec-WebSocket-Version", protocol::websocket_version);
    return refusal;
  }
  if (versions > 1)
    return refuse(Status::bad_request, "version", "Sec-WebSocket-Version is repeated");
  if (request.header_count("Sec-WebSocket-Key") > 1) {
    return refuse(Status::bad_request, "key", "Sec-WebSocket-Key is repeated");
  }
  if (!protocol::valid_key(request.header("Sec-WebSocket-Key"))) {
    return refuse(Status::bad_request, "key", "Sec-WebSocket-Key must be 16 bytes in base64");
  }
  if (!protocol::parse_subprotocols(values(request, "Sec-WebSocket-Protocol"))) {
    return refuse(Status::bad_request, "subprotocols",
                  "Sec-WebSocket-Protocol has an element that is empty, repeated or no token");
  }
  if (!protocol::valid_extensions(values(request, "Sec-WebSocket-Extensions"))) {
    return refuse(Status::bad_request, "extensions",
                  "Sec-WebSocket-Extensions does not follow RFC 6455 9.1");
  }
  if (request.header_count("Origin") > 1) {
    return refuse(Status::forbidden, "origin", "more than one Origin");
  }
  if (request.header_count("Origin") == 1) {
    const auto origin = request.header("Origin");
    if (!origin_allowed(request, origin)) {
      return refuse(Status::forbidden, "origin",
                    "the origin \"" + escaped(origin) + "\" is not allowed at the host \"" +
                        escaped(request.host()) + "\"");
    }
  }
  if (going_away) {
    auto refusal = refuse(Status::service_unavailable, "draining", "the server is going away");
    refusal.response.add("Retry-After", std::to_string(going_away->count()));
    refusal.response.close();
    return refusal;
  }
  return std::nullopt;
}

bool Upgrader::State::origin_allowed(const http::Request& request, std::string_view text) const {
  if (options_.check_origin) return options_.check_origin(request);
  if (any_origin_) return true;
  const auto origin = Origin::parse(text);
  if (!origin) return false;
  return origin->is_host(request.host()) ||
         std::any_of(origins_.begin(), origins_.end(),
                     [&](const OriginPattern& pattern) { return pattern.matches(*origin); });
}

Response Upgrader::State::acceptance(const http::Request& request, int& subprotocol) const {
  subprotocol = -1;
  const auto offered = protocol::parse_subprotocols(values(request, "Sec-WebSocket-Protocol"));
  for (std::size_t i = 0; offered && subprotocol < 0 && i < options_.subprotocols.size(); ++i) {
    if (std::find(offered->begin(), offered->end(), options_.subprotocols[i]) != offered->end()) {
      subprotocol = static_cast<int>(i);
    }
  }
  Response response{Status::switching_protocols};
  response.add("Upgrade", "websocket");
  response.add("Sec-WebSocket-Accept", protocol::accept_for(request.header("Sec-WebSocket-Key")));
  if (subprotocol >= 0) {
    response.add("Sec-WebSocket-Protocol",
                 options_.subprotocols[static_cast<std::size_t>(subprotocol)]);
  }
  for (const auto& [name, value] : options_.headers) response.add(name, value);
  return response;
}

}  // namespace hotline::websocket
