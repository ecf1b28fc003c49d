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

BrokenRule refuse(Status status, std::string_view reason, std::string text) {
  BrokenRule refusal{Response{status, std::move(text) + "\n"}, reason};
  refusal.response.add("X-Content-Type-Options", "nosniff");
  return refusal;
}

// RFC 9110 15.5.22: a 426 names what to upgrade to. The session puts the upgrade token into
// Connection.
BrokenRule upgrade_required(std::string_view reason, std::string text) {
  auto refusal = refuse(Status::upgrade_required, reason, std::move(text));
  refusal.response.add("Upgrade", "websocket");
  return refusal;
}

const std::string* field(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers()) {
    if (equals_ignoring_case(key, name)) return &value;
  }
  return nullptr;
}

}  // namespace

std::optional<Refusal> Upgrader::State::refusal(
    const http::Request& request, std::optional<std::chrono::seconds> going_away) const {
  auto broken = broken_rule(request, going_away);
  if (!broken) return std::nullopt;
  // What follows a request that wanted to leave HTTP is perhaps not HTTP: it is never parsed as
  // such.
  if (request.header_has_token("Upgrade", "websocket")) broken->response.close();
  const auto& body = broken->response.body();
  std::string sentence{body, 0, body.size() - 1};  // without the line's end
  const auto status = broken->response.status();
  Refusal refusal{status, broken->reason, std::move(sentence), std::move(broken->response)};
  if (!options_.on_refused) return refusal;
  auto answer = options_.on_refused(request, refusal);
  if (!answer) return refusal;
  const auto& own = refusal.response();
  if (answer->status() < Status::ok || static_cast<int>(answer->status()) > 599) {
    throw Error(Fault::bad_option,
                "on_refused: " + std::to_string(static_cast<int>(answer->status())) +
                    " is not the status of an answer");
  }
  if (answer->status() == own.status()) {
    for (const auto name : {"Allow", "Upgrade", "Sec-WebSocket-Version", "Retry-After"}) {
      const auto* value = field(own, name);
      if (value && !field(*answer, name)) answer->add(name, *value);
    }
  }
  if (own.closes()) answer->close();
  return Refusal{status, refusal.reason(), refusal.sentence(), std::move(*answer)};
}

std::optional<BrokenRule> Upgrader::State::broken_rule(
    const http::Request& request, std::optional<std::chrono::seconds> going_away) const {
  if (request.method() != "GET") {
    auto refusal = refuse(Status::method_not_allowed, "method", "a WebSocket begins with GET");
    refusal.response.add("Allow", "GET");
    return refusal;
  }
  if (request.version() < 11 || !request.is_websocket_upgrade()) {
    return upgrade_required("not_a_websocket", "this is a WebSocket: connect with ws:// or wss://");
  }
  if (request.header_count("Host") != 1) {  // ours has been looked at; somebody else's, perhaps not
    return refuse(Status::bad_request, "host", "a request has one Host");
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

std::string Upgrader::State::choose_subprotocol(const http::Request& request,
                                                const Wishes& wishes) const {
  const bool wished = wishes.subprotocol && *wishes.subprotocol;
  const auto offered = request.websocket_subprotocols();
  const auto is_offered = [&](std::string_view name) {
    return std::find(offered.begin(), offered.end(), name) != offered.end();
  };
  if (!wished && (offered.empty() || !options_.choose_subprotocol)) {
    const auto& own = options_.subprotocols;
    const auto common = std::find_if(own.begin(), own.end(), is_offered);
    return common == own.end() ? std::string() : *common;
  }
  auto name = wished ? **wishes.subprotocol : options_.choose_subprotocol(request);
  if (!name.empty() && !is_offered(name)) {
    throw Error(Fault::bad_option, std::string(wished ? "with_subprotocol" : "choose_subprotocol") +
                                       ": \"" + escaped(name) + "\" was not offered");
  }
  return name;
}

Upgrader::State::Acceptance Upgrader::State::acceptance(const http::Request& request,
                                                        const Wishes& wishes) const {
  Acceptance result{Response{Status::switching_protocols}, settings_, -1};
  auto& response = result.response;
  response.add("Upgrade", "websocket");
  response.add("Sec-WebSocket-Accept", protocol::accept_for(request.header("Sec-WebSocket-Key")));
  if (auto name = choose_subprotocol(request, wishes); !name.empty()) {
    response.add("Sec-WebSocket-Protocol", name);
    const auto& known = settings_->subprotocols;
    auto at = std::find(known.begin(), known.end(), name) - known.begin();
    if (at == std::ssize(known)) {
      auto settings = std::make_shared<ConnectionSettings>(*settings_);
      settings->subprotocols = {std::move(name)};
      result.settings = std::move(settings);
      at = 0;
    }
    result.subprotocol = static_cast<int>(at);
  }
  for (const auto& [name, value] : options_.headers) response.add(name, value);
  if (options_.on_accepted) {
    Response added{Status::switching_protocols};
    options_.on_accepted(request, added);
    for (const auto& [name, value] : added.headers()) {
      check_extra_field(name, value);
      response.add(name, value);
    }
  }
  if (wishes.fields) {
    for (const auto& [name, value] : wishes.fields->headers()) response.add(name, value);
  }
  return result;
}

}  // namespace hotline::websocket
