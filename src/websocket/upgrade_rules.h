#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <hotline/http/request.h>
#include <hotline/http/response.h>
#include <hotline/websocket/upgrader.h>

#include "websocket/connection_core.h"
#include "websocket/origin.h"

namespace hotline::websocket {

/// A rule that a request breaks: its answer, and a word for it (HandshakeRefusal::reason).
struct BrokenRule {
  http::Response response;
  std::string_view reason;
};

/// Throws Error (bad_option) for a field that the 101 cannot have, or that is the handshake's own.
void check_extra_field(std::string_view name, std::string_view value);

/// An Upgrader's options, checked and prepared.
class Upgrader::State {
 public:
  /// What is asked for one request only.
  struct Wishes {
    const http::Response* fields = nullptr;
    const std::optional<std::string>* subprotocol = nullptr;
    std::string* response_head = nullptr;
  };

  /// Throws Error (bad_option).
  explicit State(UpgraderOptions options);

  /// Why a request cannot be upgraded, by the first rule it breaks (RFC 6455 4.2); nullopt if it
  /// can.
  /// `going_away`: the server drains, and after this another may be there.
  std::optional<Refusal> refusal(const http::Request& request,
                                 std::optional<std::chrono::seconds> going_away) const;
  /// Answers a refusal, or takes the connection over.
  std::optional<Connection> upgrade(http::Exchange exchange, const Wishes& wishes) const;
  /// The same on a connection of somebody else's server.
  std::optional<Connection> accept(Loop& loop, const http::Request& request, StreamPointer stream,
                                   std::string received) const;

 private:
  // The 101 to a request that no rule refuses (RFC 6455 4.2.2), and what is agreed on.
  struct Acceptance {
    http::Response response;
    std::shared_ptr<const ConnectionSettings> settings;
    int subprotocol;  // an index into the settings' list, or -1
  };

  std::optional<BrokenRule> broken_rule(const http::Request& request,
                                        std::optional<std::chrono::seconds> going_away) const;
  void refused_by(Loop& loop, const http::Request& request, const Refusal& refusal) const;
  bool origin_allowed(const http::Request& request, std::string_view origin) const;
  Acceptance acceptance(const http::Request& request, const Wishes& wishes) const;
  std::string choose_subprotocol(const http::Request& request, const Wishes& wishes) const;

  UpgraderOptions options_;
  std::vector<OriginPattern> origins_;
  bool any_origin_ = false;
  std::shared_ptr<const ConnectionSettings> settings_;
};

}  // namespace hotline::websocket
