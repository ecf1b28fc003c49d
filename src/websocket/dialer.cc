#include <hotline/websocket/dialer.h>

#include <algorithm>
#include <utility>

#include <hotline/net/deadline.h>

#include "base/header_tokens.h"
#include "base/time_option.h"
#include "http/proxy.h"
#include "net/loop.h"
#include "websocket/client_handshake.h"
#include "websocket/dialer_state.h"
#include "websocket/option_rules.h"

namespace hotline::websocket {

using http::ResponseHead;
using http::ResponseReader;
using http::Url;

namespace {

constexpr std::size_t most_body = 1024;
constexpr std::chrono::seconds body_patience{2};

constexpr const char* step_names[] = {"name", "connect", "proxy", "tls", "upgrade"};
constexpr const char* step_sentences[] = {"looking up the name", "connecting",
                                          "connecting through the proxy", "in the TLS handshake",
                                          "waiting for the answer to the upgrade"};

std::string status_line(const ResponseHead& head) {
  auto text = std::to_string(head.status);
  if (!head.reason.empty()) text += " " + escaped(head.reason);
  return text;
}

bool is_redirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

std::string time_text(std::chrono::milliseconds time) {
  return time.count() % 1000 == 0 ? std::to_string(time.count() / 1000) + " s"
                                  : std::to_string(time.count()) + " ms";
}

[[noreturn]] void reject_place(const std::string& text) {
  throw Error(Fault::bad_option,
              "connect_to: \"" + escaped(text) + "\" is neither host:port nor unix:PATH");
}

// "host:port", "[::1]:port", "unix:PATH"
std::optional<DialTarget> parse_place(const std::string& text) {
  if (text.empty()) return std::nullopt;
  if (text.starts_with("unix:")) {
    if (text.size() == 5) reject_place(text);
    return DialTarget{.socket_path = text.substr(5)};
  }
  std::optional<Url> url;
  try {
    url = http::parse_websocket_url("ws://" + text);
  } catch (const Error&) {
    reject_place(text);
  }
  const auto colon = text.rfind(':');
  if (url->credentials || colon == std::string::npos || colon + 1 == text.size() ||
      text.find_first_not_of("0123456789", colon + 1) != std::string::npos) {
    reject_place(text);
  }
  return DialTarget{.host = url->host_in_zone(), .port = url->port};
}

TlsClientOptions for_another_origin(TlsClientOptions options) {
  options.certificate_file = options.key_file = options.server_name = "";
  return options;
}

}  // namespace

std::string_view name(DialStep step) noexcept { return step_names[static_cast<int>(step)]; }

DialRefused::DialRefused(Fault fault, const std::string& context, ResponseHead response,
                         std::string body)
    : Error(fault, context),
      answer_(std::make_shared<const Answer>(Answer{std::move(response), std::move(body)})) {}

Dialer::Dialer(DialerOptions options) : state_(std::make_shared<const State>(std::move(options))) {}

// Not a coroutine: the text is copied at the call.
Task<Connection> Dialer::dial(std::string_view url, ResponseHead* response) const& {
  return State::dial(state_, std::string(url), response);
}

Dialer::State::State(DialerOptions options)
    : options_(std::move(options)),
      tls_(options_.tls),
      foreign_tls_options_(for_another_origin(options_.tls)),
      foreign_tls_(foreign_tls_options_),
      proxy_tls_(options_.proxy.tls) {
  check_limits(options_.limits);
  check_time(options_.timeout, "timeout");
  check_handshake_options(options_);
  connect_to_ = parse_place(options_.connect_to);
  if (!options_.proxy.url.empty()) {
    (void)http::choose_proxy(options_.proxy, true, "example.org", 443);  // throws what is wrong
  }
  auto settings = std::make_shared<ConnectionSettings>(options_.limits);
  settings->subprotocols = options_.subprotocols;
  settings->observer = options_.observer;
  settings_ = std::move(settings);
}

Task<Connection> Dialer::State::dial(std::shared_ptr<const State> state, std::string url,
                                     ResponseHead* response) {
  Progress progress;
  try {
    const Duration timeout{state->options_.timeout};
    co_return co_await deadline(timeout, state->follow(std::move(url), response, progress));
  } catch (const Error& error) {
    if (error.code() != Fault::deadline_passed || progress.failed) throw;
  }
  if (progress.refused) throw DialRefused(*progress.refused);
  auto step = progress.step;
  if (step == DialStep::name && progress.timings.name) step = DialStep::connect;
  if (step == DialStep::connect && progress.timings.connect) step = DialStep::proxy;
  throw Error(Fault::deadline_passed, progress.visited.back() + ": not within " +
                                          time_text(state->options_.timeout) + ", " +
                                          step_sentences[static_cast<int>(step)]);
}

Task<Connection> Dialer::State::follow(std::string text, ResponseHead* response,
                                       Progress& progress) const {
  try {
    Request request{.url = http::parse_websocket_url(text)};
    for (;;) {
      progress.visited.push_back(request.url.text());
      StreamPointer stream = co_await connect(request, progress);
      progress.step = DialStep::upgrade;
      const auto begin = Loop::require().now();
      co_await send(stream, request);
      std::optional<ResponseReader> reader;
      std::string received;
      co_await read_head(stream, request, reader, received);
      auto head = reader->head();
      if (response) *response = head;
      if (options_.cookies) {
        for (const auto& [name, value] : head.headers) {
          if (equals_ignoring_case(name, "Set-Cookie")) {
            options_.cookies->set(progress.visited.back(), value);
          }
        }
      }
      if (head.status == 101) {
        const auto subprotocol = check_switching(head, reader->version(), request.key,
                                                 options_.subprotocols, request.url);
        told(DialStep::upgrade, Loop::require().now() - begin);
        co_return make_connection(std::move(stream), request, subprotocol, std::move(received));
      }
      auto verdict = judge(head, request, progress.visited);
      if (verdict.next) {
        if (options_.dial_observer) options_.dial_observer->redirect(verdict.next->text());
        // What another origin must not see stays unseen, even where it leads back.
        request.foreign = request.foreign || !verdict.next->same_origin(request.url);
        request.url = std::move(*verdict.next);
        continue;
      }
      progress.refused.emplace(Fault::upgrade_refused, verdict.why, head);
      http::ResponseBody body{head, most_body};
      body.feed(received);
      try {
        co_await deadline(body_patience, read_body(stream, body));
      } catch (const Error& error) {
        if (error.is(Condition::cancelled)) throw;  // else it is as long as it is
      }
      throw DialRefused(Fault::upgrade_refused, verdict.why, std::move(head),
                        std::move(body.text()));
    }
  } catch (...) {
    progress.failed = true;
    throw;
  }
}

Dialer::State::Verdict Dialer::State::judge(const ResponseHead& head, const Request& request,
                                            const std::vector<std::string>& visited) const {
  Verdict verdict{.next = std::nullopt, .why = request.url.text() + ": " + status_line(head)};
  auto& why = verdict.why;
  const auto count = head.header_count("Location");
  if (!is_redirect(head.status)) return verdict;
  if (options_.redirects == 0) {
    if (count == 1) why += " to " + escaped(head.header("Location"));
    why += ", and redirects are not followed";
    return verdict;
  }
  const auto followed = visited.size() - 1;
  if (followed >= options_.redirects) {
    why += ", after " + std::to_string(followed) + (followed == 1 ? " redirect" : " redirects");
    return verdict;
  }
  if (count != 1) {
    why += count == 0 ? ", and Location is missing" : ", and Location stands more than once";
    return verdict;
  }
  try {
    auto next = http::resolve_location(request.url, head.header("Location"));
    if (request.url.secure && !next.secure) {
      why += ", which leads from wss to ws: " + next.text();
    } else if (std::find(visited.begin(), visited.end(), next.text()) != visited.end()) {
      why += ", which leads in a circle: " + next.text();
    } else {
      verdict.next = std::move(next);
    }
  } catch (const Error& error) {
    why += std::string(", ") + error.what();
  }
  return verdict;
}

void Dialer::State::told(DialStep step, const std::optional<Duration>& took) const noexcept {
  if (options_.dial_observer && took) options_.dial_observer->done(step, *took);
}

Connection Dialer::State::make_connection(StreamPointer stream, const Request& request,
                                          int subprotocol, std::string received) const {
  ConnectionCore::Origins origins;
  origins.received = std::move(received);
  origins.subprotocol = subprotocol;
  auto& core = *new ConnectionCore{Loop::require(), protocol::Role::client, std::move(stream),
                                   settings_, std::move(origins)};
  core.observe(request.url.target, core.local_address());
  return Connection{core};
}

}  // namespace hotline::websocket
