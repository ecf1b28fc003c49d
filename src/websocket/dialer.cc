#include <hotline/websocket/dialer.h>

#include <algorithm>
#include <array>
#include <utility>

#include <hotline/net/deadline.h>
#include <hotline/protocol/handshake.h>

#include "net/loop.h"
#include "net/stream_wait.h"
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
constexpr int most_interim = 8;
constexpr std::size_t read_size = 4096;

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

// "host:port", "[::1]:port", "unix:PATH"
std::optional<DialTarget> parse_place(const std::string& text) {
  if (text.empty()) return std::nullopt;
  const auto reject = [&] [[noreturn]] () {
    throw Error(Fault::bad_option,
                "connect_to: \"" + escaped(text) + "\" is neither host:port nor unix:PATH");
  };
  if (text.starts_with("unix:")) {
    if (text.size() == 5) reject();
    return DialTarget{.socket_path = text.substr(5)};
  }
  try {
    auto url = http::parse_websocket_url("ws://" + text);
    if (url.credentials || url.target != "/" || text.ends_with('/') || text.ends_with(']') ||
        text.find(':') == std::string::npos || text.ends_with(':')) {
      reject();
    }
    return DialTarget{.host = std::move(url.host), .port = url.port};
  } catch (const Error&) {
    reject();
  }
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

Dialer::State::State(DialerOptions options) : options_(std::move(options)) {
  check_limits(options_.limits);
  check_time(options_.timeout, "timeout");
  check_handshake_options(options_);
  connect_to_ = parse_place(options_.connect_to);
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
  throw Error(Fault::deadline_passed, progress.place + ": not within " +
                                          time_text(state->options_.timeout) + ", " +
                                          step_sentences[static_cast<int>(progress.step)]);
}

Task<Connection> Dialer::State::follow(std::string text, ResponseHead* response,
                                       Progress& progress) const {
  try {
    Request request{.url = http::parse_websocket_url(text)};
    std::vector<std::string> visited;
    for (;;) {
      visited.push_back(request.url.text());
      progress.place = visited.back();
      progress.step = DialStep::name;
      StreamPointer stream = co_await connect(request, progress);
      progress.step = DialStep::upgrade;
      const auto begin = Loop::require().now();
      co_await send(stream, request);
      std::optional<ResponseReader> reader;
      std::string received;
      co_await read_head(stream, request, reader, received);
      auto head = reader->head();
      if (response) *response = head;
      if (head.status == 101) {
        const auto subprotocol = check_switching(head, reader->version(), request.key,
                                                 options_.subprotocols, request.url);
        told(DialStep::upgrade, Loop::require().now() - begin);
        co_return make_connection(std::move(stream), request, subprotocol, std::move(received));
      }
      auto why = request.url.text() + ": " + status_line(head);
      const auto followed = static_cast<unsigned>(visited.size() - 1);
      if (is_redirect(head.status) && options_.redirects > 0) {
        if (followed == options_.redirects) {
          why += ", after " + std::to_string(followed) + " redirects";
        } else if (head.header_count("Location") != 1) {
          why += " without a Location, or with several";
        } else {
          std::optional<Url> next;
          try {
            next = http::resolve_location(request.url, head.header("Location"));
          } catch (const Error& error) {
            why += std::string(", ") + error.what();
          }
          if (next && request.url.secure && !next->secure) {
            why += ", which leads from wss to ws: " + next->text();
          } else if (next &&
                     std::find(visited.begin(), visited.end(), next->text()) != visited.end()) {
            why += ", which leads in a circle: " + next->text();
          } else if (next) {
            if (options_.dial_observer) options_.dial_observer->redirect(next->text());
            // What another origin must not see stays unseen, even where it leads back.
            request.foreign = request.foreign || !next->same_origin(request.url);
            request.url = std::move(*next);
            continue;
          }
        }
      } else if (is_redirect(head.status) && head.header_count("Location") == 1) {
        why += " to " + escaped(head.header("Location")) + ", and redirects are not followed";
      }
      progress.refused.emplace(Fault::upgrade_refused, why, head);
      http::ResponseBody body{head, most_body};
      body.feed(received);
      try {
        co_await deadline(body_patience, read_body(stream, body));
      } catch (const Error& error) {
        if (error.is(Condition::cancelled)) throw;  // else it is as long as it is
      }
      throw DialRefused(Fault::upgrade_refused, why, std::move(head), std::move(body.text()));
    }
  } catch (...) {
    progress.failed = true;
    throw;
  }
}

void Dialer::State::told(DialStep step, const std::optional<Duration>& took) const noexcept {
  if (options_.dial_observer && took) options_.dial_observer->done(step, *took);
}

Task<StreamPointer> Dialer::State::connect_by_hook(const Url& url) const {
  const DialTarget target{url.host, url.port, url.socket_path, url.secure};
  StreamPointer stream = co_await options_.connect(target);
  if (!stream) throw Error(Fault::bad_option, "connect: it supplied no stream");
  co_return stream;
}

Task<StreamPointer> Dialer::State::connect(const Request& request, Progress& progress) const {
  auto& loop = Loop::require();
  if (loop.draining()) throw Cancelled();
  const auto& url = request.url;
  const auto begin = loop.now();
  if (options_.connect) {
    progress.step = DialStep::connect;
    StreamPointer supplied = co_await connect_by_hook(url);
    told(DialStep::connect, loop.now() - begin);
    co_return supplied;
  }
  const bool elsewhere = connect_to_ && !request.foreign;
  const std::string& path = elsewhere ? connect_to_->socket_path : url.socket_path;
  if (!path.empty()) {
    progress.step = DialStep::connect;
    StreamPointer local = co_await connect_unix(path);
    told(DialStep::connect, loop.now() - begin);
    co_return local;
  }
  ConnectTimings timings;
  const std::string& host = elsewhere ? connect_to_->host : url.host;
  const auto port = elsewhere ? connect_to_->port : url.port;
  StreamPointer stream = co_await connect_tcp(host, port, &timings);
  told(DialStep::name, timings.name);
  told(DialStep::connect, timings.connect);
  co_return stream;
}

Task<> Dialer::State::send(StreamPointer& stream, Request& request) const {
  std::array<unsigned char, 16> random;
  Loop::require().entropy().fill(std::as_writable_bytes(std::span{random}));
  request.key = protocol::key_of(random);
  const auto head = request_head(options_, request.url, request.key, request.foreign, {});
  if (options_.dial_observer) options_.dial_observer->request(head);
  for (std::string_view rest{head}; !rest.empty();) {
    const auto transfer = stream->try_write({rest.data(), rest.size()});
    if (transfer.failed()) throw Error(transfer.code(), request.url.text() + ": sending");
    rest.remove_prefix(transfer.size);
    if (rest.empty()) break;
    StreamWait writable{stream, StreamWait::writable};
    co_await writable;
  }
}

// `received`: what came behind the head.
Task<> Dialer::State::read_head(StreamPointer& stream, const Request& request,
                                std::optional<ResponseReader>& reader,
                                std::string& received) const {
  int interim = 0;
  reader.emplace();
  for (;;) {
    std::string_view rest{received};
    const auto result = reader->feed(rest);
    received.erase(0, received.size() - rest.size());
    if (result == ResponseReader::Result::refused) {
      throw Error(Fault::bad_response, request.url.text() + ": " + reader->refusal());
    }
    if (result == ResponseReader::Result::complete) {
      if (options_.dial_observer) options_.dial_observer->response(reader->bytes());
      const auto status = reader->head().status;
      if (status >= 200 || status == 101) co_return;
      if (++interim > most_interim) {
        throw Error(Fault::bad_response, request.url.text() + ": more than " +
                                             std::to_string(most_interim) + " interim responses");
      }
      reader.emplace();
      continue;
    }
    received.resize(read_size);
    const auto transfer = stream->try_read(received);
    received.resize(transfer.size);
    if (transfer.failed()) {
      throw Error(transfer.code(), request.url.text() + ": waiting for the answer");
    }
    if (transfer.ended()) {
      throw Error(Fault::connection_reset,
                  request.url.text() + ": the server hung up " +
                      (reader->bytes().empty() ? "without an answer" : "within its answer"));
    }
    if (transfer.would_block()) {
      StreamWait readable{stream, StreamWait::readable};
      co_await readable;
    }
  }
}

Task<> Dialer::State::read_body(StreamPointer& stream, http::ResponseBody& body) const {
  std::string buffer(read_size, '\0');
  while (!body.done()) {
    const auto transfer = stream->try_read(buffer);
    if (transfer.failed() || transfer.ended()) break;
    body.feed(std::string_view{buffer}.substr(0, transfer.size));
    if (transfer.would_block()) {
      StreamWait readable{stream, StreamWait::readable};
      co_await readable;
    }
  }
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
