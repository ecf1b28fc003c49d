#include <hotline/websocket/upgrader.h>

#include <array>

#include <hotline/base/error.h>
#include <hotline/net/byte_stream.h>

#include "base/header_tokens.h"
#include "http/response_writer.h"
#include "net/loop.h"
#include "websocket/option_rules.h"
#include "websocket/upgrade_rules.h"

namespace hotline::websocket {
namespace {

[[noreturn]] void reject(const std::string& what) { throw Error(Fault::bad_option, what); }

// What the handshake says itself.
constexpr std::array reserved_headers = {
    "Upgrade",           "Connection",     "Sec-WebSocket-Accept", "Sec-WebSocket-Protocol",
    "Sec-WebSocket-Key", "Content-Length", "Transfer-Encoding",    "Sec-WebSocket-Extensions"};

}  // namespace

void check_extra_field(std::string_view name, std::string_view value) {
  for (const auto* reserved : reserved_headers) {
    if (equals_ignoring_case(name, reserved)) {
      reject("headers: " + std::string(name) + " is the handshake's");
    }
  }
  http::Response{http::Status::switching_protocols}.add(name, value);  // throws what is wrong
}

Error Refusal::error() const {
  return Error(Fault::upgrade_refused,
               std::to_string(static_cast<int>(status_)) + ", " + sentence_);
}

std::string Refusal::bytes() const {
  std::string text;
  http::append_head(text, response_, http::DateCache{}.now(), http::ConnectionOption::close);
  if (http::has_body(response_.status())) text += response_.body();
  return text;
}

Upgrader::State::State(UpgraderOptions options) : options_(std::move(options)) {
  check_limits(options_.limits);
  check_subprotocols(options_.subprotocols);
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
  for (const auto& [name, value] : options_.headers) check_extra_field(name, value);
  auto settings = std::make_shared<ConnectionSettings>(options_.limits);
  settings->subprotocols = options_.subprotocols;
  settings->observer = options_.observer;
  settings_ = std::move(settings);
}

void Upgrader::State::refused_by(Loop& loop, const http::Request& request,
                                 const Refusal& refusal) const {
  const auto status = refusal.response().status();
  // An observer hears of it anyway.
  loop.log(options_.observer ? LogLevel::debug : LogLevel::info, [&] {
    return "refused to upgrade " + escaped(request.target()) + " for " +
           request.remote_address().to_string() + ": " + std::to_string(static_cast<int>(status)) +
           ", " + refusal.sentence();
  });
  if (options_.observer) {
    options_.observer->refused({request, status, refusal.reason(), refusal.sentence()});
  }
}

std::optional<Connection> Upgrader::State::upgrade(http::Exchange exchange,
                                                   const Wishes& wishes) const {
  auto& core = exchange.core();
  if (core.answered()) throw Error(Fault::already_answered, "upgrade");
  const auto& request = core.request();
  const auto going_away = core.draining() ? std::optional{core.retry_after()} : std::nullopt;
  if (const auto refused = refusal(request, going_away)) {
    refused_by(core.loop(), request, *refused);
    core.respond(refused->response(), nullptr, refused->sentence());
    return std::nullopt;
  }
  auto accepted = acceptance(request, wishes);
  ConnectionCore::Origins origins;
  auto head = http::switching_head(accepted.response);
  auto taken = core.take_over(head);
  origins.received = std::move(taken.received);
  origins.unsent = std::move(taken.unsent);
  origins.subprotocol = accepted.subprotocol;
  auto& connection =
      *new ConnectionCore{core.loop(), protocol::Role::server, std::move(taken.stream),
                          std::move(accepted.settings), std::move(origins)};
  core.observe_handler(&connection);
  if (wishes.response_head) *wishes.response_head = std::move(head);
  connection.observe(request.target(), request.client_address());
  return std::optional<Connection>{std::in_place, connection};
}

std::optional<Connection> Upgrader::State::accept(Loop& loop, const http::Request& request,
                                                  StreamPointer stream,
                                                  std::string received) const {
  Turn turn{loop};
  constexpr std::chrono::seconds retry_after{10};  // as ServerOptions has it
  const auto going_away = loop.draining() ? std::optional{retry_after} : std::nullopt;
  if (const auto refused = refusal(request, going_away)) {
    refused_by(loop, request, *refused);
    const ByteStream answer{loop, std::move(stream), {}, refused->bytes()};  // sent, then closed
    return std::nullopt;
  }
  auto accepted = acceptance(request, {});
  ConnectionCore::Origins origins;
  origins.received = std::move(received);
  origins.unsent = http::switching_head(accepted.response);
  origins.subprotocol = accepted.subprotocol;
  auto& connection = *new ConnectionCore{loop, protocol::Role::server, std::move(stream),
                                         std::move(accepted.settings), std::move(origins)};
  connection.observe(request.target(), request.client_address());
  return std::optional<Connection>{std::in_place, connection};
}

Upgrader::Upgrader(UpgraderOptions options)
    : state_(std::make_shared<const State>(std::move(options))) {}

http::Handler Upgrader::handler(std::function<Task<>(Connection)> callback) const {
  if (!callback) reject("handler: the callback is empty");
  // Not a coroutine: the callback's own frame is all that stays while the connection lives.
  return [state = state_, callback = std::move(callback)](http::Exchange exchange) -> Task<> {
    auto connection = state->upgrade(std::move(exchange), {});
    if (!connection) return {};
    return callback(std::move(*connection));
  };
}

Upgrader::Upgrading Upgrader::upgrade(http::Exchange exchange, std::string* response_head) const {
  return Upgrading{*state_, std::move(exchange), response_head};
}

std::optional<Connection> Upgrader::accept(Loop& loop, const http::Request& request,
                                           StreamPointer stream, std::string received) const {
  return state_->accept(loop, request, std::move(stream), std::move(received));
}

std::optional<Connection> Upgrader::accept(const http::Request& request, StreamPointer stream,
                                           std::string received) const {
  return accept(Loop::require(), request, std::move(stream), std::move(received));
}

std::optional<Refusal> Upgrader::check(const http::Request& request) const {
  return state_->refusal(request, std::nullopt);
}

Upgrader::Upgrading& Upgrader::Upgrading::with(std::string_view name, std::string_view value) & {
  check_extra_field(name, value);
  fields_.add(name, value);
  return *this;
}

std::optional<Connection> Upgrader::Upgrading::await_resume() {
  return state_.upgrade(
      std::move(exchange_),
      {.fields = &fields_, .subprotocol = &subprotocol_, .response_head = response_head_});
}

}  // namespace hotline::websocket
