#include "tools/serve.h"

#include <cstdio>
#include <iostream>

#include <hotline/hotline.h>

#include "tools/logger.h"
#include "tools/page.h"

namespace hotline::tools {
namespace {

Task<> echo(websocket::Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
}

Task<> health(http::Exchange exchange) { co_await exchange.respond(http::Status::ok, "ok\n"); }

std::string authority(const std::string& host, std::uint16_t port) {
  const bool ipv6 = host.find(':') != std::string::npos;
  return (ipv6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

}  // namespace

int serve(const ServeOptions& options) {
  websocket::Limits limits;
  limits.message_size = options.message_limit;
  limits.fragments = options.fragment_limit;
  const websocket::Upgrader upgrader{
      {.subprotocols = {std::string(handshake_subprotocol)}, .limits = limits}};

  http::Server server{{.address = options.host,
                       .port = options.port,
                       .threads = options.threads,
                       .logger = make_logger(options.log_level)}};
  server.handle("/echo", showing_handshake(upgrader, echo));
  server.handle("/healthz", health);
  server.handle("GET /{$}", page());
  server.listen();
  std::cout << "hotline echoes on ws://" << authority(options.host, server.port())
            << "/echo; Ctrl-C stops it" << std::endl;
  return server.run();
}

}  // namespace hotline::tools
