#include <hotline/websocket/upgrader.h>

#include <algorithm>
#include <array>

#include <hotline/base/error.h>

#include "base/header_tokens.h"
#include "net/loop.h"
#include "websocket/upgrade_rules.h"

namespace hotline::websocket {
namespace {

[[noreturn]] void reject(const std::string& what) { throw Error(Fault::bad_option, what); }

void check(const Limits& limits) {
  const auto positive = [](auto value, const char* name) {
    if (value <= decltype(value){}) {
      reject(std::string("limits.") + name + ": 0 is not a limit");
    }
  };
  positive(limits.message_size, "message_size");
  positive(limits.fragments, "fragments");
  const auto time = [](std::chrono::milliseconds value, const char* name) {
    if (value <= std::chrono::milliseconds(0) || value > std::chrono::hours(24 * 365)) {
      reject(std::string("limits.") + name + ": more than 0, and at most 365 days");
    }
  };
  time(limits.message_time, "message_time");
  time(limits.ping_interval, "ping_interval");
  time(limits.ping_timeout, "ping_timeout");
  time(limits.idle_timeout, "idle_timeout");
  time(limits.close_grace, "close_grace");
}

// What the handshake says itself.
constexpr std::array reserved_headers = {
    "Upgrade",           "Connection",     "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Key", "Content-Length", "Transfer-Encoding",    "Sec-WebSocket-Extensions"};

}  // namespace

Upgrader::State::State(UpgraderOptions options) : options_(std::move(options)) {
  check(options_.limits);
  for (const auto& name : options_.subprotocols) {
    if (!is_token(name)) reject("subprotocols: \"" + escaped(name) + "\" is not a token");
    if (std::count(options_.subprotocols.begin(), options_.subprotocols.end(), name) > 1) {
      reject("subprotocols: \"" + name + "\" stands twice");
    }
  }
  for (const auto& text : options_.origins) {
    if (text == "any") {
      any_origin_ = true;
      continue;
    }
    auto pattern = OriginPattern::parse(text);
    if (!pattern) {
      reject("origins: \"" + escaped(text) +
             "\" is not of the form https://host, https://*.host or any");
    }
    origins_.push_back(std::move(*pattern));
  }
  for (const auto& [name, value] : options_.headers) {
    for (const auto* reserved : reserved_headers) {
      if (equals_ignoring_case(name, reserved)) reject("headers: " + name + " is the handshake's");
    }
    http::Response{http::Status::switching_protocols}.add(name, value);  // throws what is wrong
  }
  auto settings = std::make_shared<ConnectionSettings>(options_.limits);
  settings->subprotocols = options_.subprotocols;
  settings->observer = options_.observer;
  settings_ = std::move(settings);
}

std::optional<Connection> Upgrader::State::upgrade(http::Exchange exchange,
                                                   std::string* response_head) const {
  auto& core = exchange.core();
  if (core.answered()) throw Error(Fault::already_answered, "upgrade");
  const auto& request = core.request();
  const auto going_away = core.draining() ? std::optional{core.retry_after()} : std::nullopt;
  if (const auto refused = refusal(request, going_away)) {
    const auto& response = refused->response;
    std::string_view sentence{response.body()};
    sentence.remove_suffix(1);  // the line's end
    core.loop().log(LogLevel::info, [&] {
      return "refused to upgrade " + escaped(request.target()) + " for " +
             request.remote_address().to_string() + ": " +
             std::to_string(static_cast<int>(response.status())) + ", " + escaped(sentence);
    });
    if (options_.observer) {
      options_.observer->refused({request, response.status(), refused->reason, sentence});
    }
    core.respond(response, nullptr);
    return std::nullopt;
  }
  ConnectionCore::Origins origins;
  const auto head = http::switching_head(acceptance(request, origins.subprotocol));
  auto taken = core.take_over(head);
  origins.received = std::move(taken.received);
  origins.unsent = std::move(taken.unsent);
  auto& connection = *new ConnectionCore{core.loop(), protocol::Role::server,
                                         std::move(taken.stream), settings_, std::move(origins)};
  core.observe_handler(&connection);
  if (response_head) *response_head = head;
  connection.observe(request.target(), request.client_address());
  return std::optional<Connection>{std::in_place, connection};
}

Upgrader::Upgrader(UpgraderOptions options)
    : state_(std::make_shared<const State>(std::move(options))) {}

http::Handler Upgrader::handler(std::function<Task<>(Connection)> callback) const {
  if (!callback) reject("handler: the callback is empty");
  // Not a coroutine: the callback's own frame is all that stays while the connection lives.
  return [state = state_, callback = std::move(callback)](http::Exchange exchange) -> Task<> {
    auto connection = state->upgrade(std::move(exchange), nullptr);
    if (!connection) return {};
    return callback(std::move(*connection));
  };
}

Upgrader::Upgrading Upgrader::upgrade(http::Exchange exchange, std::string* response_head) const {
  return Upgrading{*state_, std::move(exchange), response_head};
}

std::optional<Connection> Upgrader::Upgrading::await_resume() {
  return state_.upgrade(std::move(exchange_), response_head_);
}

}  // namespace hotline::websocket
