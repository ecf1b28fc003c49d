#include "tools/serve.h"

#include <iostream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include <hotline/hotline.h>

#include "tools/logger.h"
#include "tools/observer.h"
#include "tools/open_metrics.h"
#include "tools/option_table.h"
#include "tools/page.h"
#include "tools/service.h"
#include "tools/tls_reload.h"
#include "tools/units.h"

namespace hotline::tools {
namespace {

Task<> echo(websocket::Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
}

Task<> health(http::Exchange exchange) { co_await exchange.respond(http::Status::ok, "ok\n"); }

// Whether only this machine can connect there.
bool is_local(const std::string& place) {
  const auto endpoint = parse_endpoint(place);
  return endpoint && Address::parse(endpoint->host, endpoint->port)->is_loopback();
}

// A proxy on this machine makes everybody look like somebody on this machine.
bool came_by_a_proxy(const http::Request& request) {
  for (const auto* name : {"Forwarded", "X-Forwarded-For", "X-Real-IP", "Via"}) {
    if (request.header_count(name) > 0) return true;
  }
  return false;
}

std::string list_of(const std::vector<std::string>& addresses, bool secure) {
  std::string text;
  for (std::size_t i = 0; i < addresses.size(); ++i) {
    if (i > 0) text += i + 1 < addresses.size() ? ", " : " and ";
    const bool is_unix = addresses[i].starts_with("unix:");
    text.append(is_unix  ? ""
                : secure ? "wss://"
                         : "ws://")
        .append(addresses[i])
        .append(is_unix ? "" : "/echo");
  }
  return text;
}

// "--drain-jitter: ..." of an option that the file sets: "hotline.toml:7: drain-jitter: ...".
std::string in_words_of_the_file(const ServeOptions& options, std::string what) {
  const auto colon = what.find(": ");
  if (!what.starts_with("--") || colon == std::string::npos) return what;
  const auto found = options.in_file.find(std::string_view{what}.substr(2, colon - 2));
  if (found != options.in_file.end()) what.replace(0, 2, found->second + ": ");
  return what;
}

/// One run of the program: its servers, and those who are told of them.
class Run {
 public:
  explicit Run(const ServeOptions& options)
      : options_(options),
        log_(make_log(options.log_level, options.log_format)),
        observer_(std::make_shared<Observer>(AccessLog{log_})),
        manager_(ServiceManager::from_environment()),
        server_(server_options()) {}

  int operator()() {
    add_routes();
    server_.listen();
    if (!metrics_elsewhere() && options_.metrics_listen != "off" && is_private()) {
      server_.handle("GET /metrics", metrics_handler(Callers::here));
    }
    if (metrics_elsewhere()) listen_for_metrics();
    say_where();
    tell_manager();
    const Watchdog watchdog{manager_, options_.server.threads, [this](std::function<void()> visit) {
                              server_.on_each_loop(std::move(visit));
                            }};
    std::jthread metrics_thread;
    if (metrics_server_) {
      metrics_thread = std::jthread([this] { metrics_server_->run(); });
    }
    std::optional<TlsReload> reload;
    if (secure()) {
      log_->write(LogLevel::info, "speaks TLS as " + certificates_of(server_));
      reload.emplace(server_, *log_);
    }
    const int status = server_.run();
    if (metrics_server_) metrics_server_->stop();
    return status;
  }

 private:
  http::ServerOptions server_options() const {
    auto options = options_.server;
    options.logger = log_;
    options.observer = observer_;
    return options;
  }

  bool secure() const { return options_.server.tls.enabled(); }
  bool metrics_elsewhere() const {
    return !options_.metrics_listen.empty() && options_.metrics_listen != "off";
  }
  // For the figures to be shown on the same listeners: nobody else can reach them, by a proxy
  // neither.
  bool is_private() const {
    if (!options_.server.trusted_proxies.empty() || options_.server.proxy_protocol) return false;
    for (const auto& address : server_.addresses()) {
      if (!is_local(address)) return false;
    }
    return true;
  }

  void add_routes() {
    auto options = options_.upgrader;
    // An account costs memory for each connection: none where nobody would see it.
    if (log_->enabled(LogLevel::info) || options_.metrics_listen != "off") {
      options.observer = observer_;
    }
    options.subprotocols = {std::string(handshake_subprotocol)};
    const websocket::Upgrader upgrader{std::move(options)};
    server_.handle("/echo", showing_handshake(upgrader, echo));
    server_.handle("/healthz", health);
    if (options_.static_directory.empty()) {
      server_.handle("GET /{$}", page());
    } else {
      serve_directory();
    }
  }

  void serve_directory() {
    try {
      server_.handle("/", http::directory(options_.static_directory));
    } catch (const Error& error) {
      throw std::runtime_error(
          in_words_of_the_file(options_, "--static: " + std::string(error.what())));
    }
  }

  enum class Callers { any, here };

  http::Handler metrics_handler(Callers callers) {
    // The server keeps its handlers until their last coroutine has ended.
    // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
    return [this, callers](http::Exchange exchange) -> Task<> {
      if (callers == Callers::here && came_by_a_proxy(exchange.request())) {
        co_await exchange.respond(http::Status::not_found, "404 Not Found\n");
        co_return;
      }
      Metrics::Figures figures;
      figures.backlog = server_.backlog();
      figures.lost_lines = log_->lost();
      figures.version = HOTLINE_VERSION;
      const http::Response response{http::Status::ok, observer_->metrics().text(figures),
                                    OpenMetrics::content_type};
      co_await exchange.respond(response);
    };
  }

  void listen_for_metrics() {
    http::ServerOptions options;
    options.listen = {options_.metrics_listen};
    options.hosts = options_.server.hosts;
    options.max_connections = 100;
    options.handle_signals = false;
    options.logger = log_;
    metrics_server_ = std::make_unique<http::Server>(std::move(options));
    metrics_server_->handle("GET /metrics", metrics_handler(Callers::any));
    metrics_server_->listen();
  }

  void say_where() const {
    std::cout << "hotline echoes on " << list_of(server_.addresses(), secure())
              << "; Ctrl-C stops it\n";
    if (metrics_server_) {
      std::cout << "metrics on http://" << metrics_server_->addresses().front() << "/metrics\n";
    }
    std::cout.flush();
  }

  void tell_manager() {
    if (!manager_.listens()) return;
    observer_->on_drain([this] {
      // The manager's own patience must not end before the drain does.
      const auto time = options_.server.drain_timeout + std::chrono::seconds(5);
      manager_.tell("STOPPING=1\nSTATUS=draining\nEXTEND_TIMEOUT_USEC=" +
                    std::to_string(std::chrono::microseconds(time).count()));
    });
    const auto missing = std::make_shared<std::atomic<unsigned>>(options_.server.threads);
    server_.on_each_loop([this, missing] {
      if (--*missing > 0) return;
      manager_.tell("READY=1\nSTATUS=listening on " + list_of(server_.addresses(), secure()));
    });
  }

  const ServeOptions& options_;
  const std::shared_ptr<Log> log_;
  const std::shared_ptr<Observer> observer_;
  const ServiceManager manager_;
  http::Server server_;
  std::unique_ptr<http::Server> metrics_server_;
};

// The pairs, out of files that came one by one.
void pair_certificates(ServeOptions& options) {
  const auto& certificates = options.tls_certificates;
  const auto& keys = options.tls_keys;
  if (certificates.size() != keys.size()) {
    throw UsageError((certificates.empty() ? "--tls-key" : "--tls-cert") +
                     std::string(": as many of --tls-cert as of --tls-key are needed"));
  }
  auto& tls = options.server.tls;
  if (tls.self_signed && !certificates.empty()) {
    throw UsageError("--tls-self-signed: there is --tls-cert already");
  }
  for (std::size_t i = 0; i < keys.size(); ++i) {
    tls.certificates.push_back({certificates[i], keys[i]});
  }
  if (tls.self_signed) tls.self_signed_names = options.server.hosts;
}

}  // namespace

// The library speaks of its own options: "drain_jitter: from 0 to …: an option has a value that …".
std::string in_words_of_the_command_line(std::string what) {
  static constexpr std::pair<std::string_view, std::string_view> names[] = {
      {"certificate_file: ", "--tls-cert: "},
      {"client_ca_file: ", "--tls-client-ca: "},
      {"crl_file: ", "--crl: "},
      {"drain_jitter: ", "--drain-jitter: "},
      {"key_file: ", "--tls-key: "},
      {"listen: ", "--listen: "},
      {"origins: ", "--origin: "},
      {"self_signed_names: ", "--host: "},
      {"proxy_protocol: ", "--proxy-protocol: "},
      {"trusted_proxies: ", "--trusted-proxy: "},
      {"limits.ping_interval: ", "--ping-interval: "},
      {"limits.idle_timeout: ", "--idle-timeout: "}};
  for (const auto& [own, flag] : names) {
    if (what.starts_with(own)) what.replace(0, own.size(), flag);
  }
  // Where they speak of one another.
  static constexpr std::pair<std::string_view, std::string_view> others[] = {
      {": trusted_proxies must say from whom", ": --trusted-proxy must say from whom"},
      {": client_ca_file must say whose certificates", ": --tls-client-ca must say whose"},
      {": certificates must say what to show", ": --tls-cert must say what to show"},
      {": from 0 to below drain_timeout", ": from 0 to below --drain-timeout"}};
  for (const auto& [own, flag] : others) {
    if (const auto at = what.find(own); at != std::string::npos) what.replace(at, own.size(), flag);
  }
  const std::string tail = ": " + make_error_code(Fault::bad_option).message();
  if (what.ends_with(tail)) what.resize(what.size() - tail.size());
  return what;
}

int serve(ServeOptions options) {
  try {
    pair_certificates(options);
    if (options.server.tls.enabled()) TlsReload::take_signal();
    return Run{options}();
  } catch (const UsageError& error) {
    throw UsageError(in_words_of_the_file(options, error.what()));
  } catch (const Error& error) {
    if (error.code() != Fault::bad_option) throw;
    throw UsageError(in_words_of_the_file(options, in_words_of_the_command_line(error.what())));
  }
}

}  // namespace hotline::tools
