#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <hotline/http/request.h>
#include <hotline/http/response.h>
#include <hotline/websocket/upgrader.h>

#include "websocket/connection_core.h"
#include "websocket/origin.h"

namespace hotline::websocket {

/// The answer to a request that is not upgraded, and why in a word (HandshakeRefusal::reason).
struct Refusal {
  http::Response response;
  std::string_view reason;
};

/// An Upgrader's options, checked and prepared.
class Upgrader::State {
 public:
  /// Throws Error (bad_option).
  explicit State(UpgraderOptions options);

  /// The answer to a request that cannot be upgraded, by the first rule it breaks (RFC 6455 4.2);
  /// nullopt if it can.
  /// `going_away`: the server drains, and after this another may be there.
  std::optional<Refusal> refusal(const http::Request& request,
                                 std::optional<std::chrono::seconds> going_away) const;
  /// The 101 to a request that no rule refuses (RFC 6455 4.2.2), and which subprotocol it agrees on
  /// (an index, or -1).
  http::Response acceptance(const http::Request& request, int& subprotocol) const;

  /// Answers a refusal, or takes the connection over. `response_head` may be null.
  std::optional<Connection> upgrade(http::Exchange exchange, std::string* response_head) const;

 private:
  std::optional<Refusal> first_refusal(const http::Request& request,
                                       std::optional<std::chrono::seconds> going_away) const;
  bool origin_allowed(const http::Request& request, std::string_view origin) const;

  UpgraderOptions options_;
  std::vector<OriginPattern> origins_;
  bool any_origin_ = false;
  std::shared_ptr<const ConnectionSettings> settings_;
};

}  // namespace hotline::websocket
