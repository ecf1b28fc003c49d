// Behind a proxy on this machine: who calls, and how, in the words of the proxy.
//   behind_a_proxy [PORT [SECONDS_BETWEEN_PINGS [proxy-protocol]]]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

namespace http = hotline::http;

hotline::Task<> who(http::Exchange exchange) {
  const auto& request = exchange.request();
  std::string text{request.client_address().host()};
  text.append(" calls ").append(request.scheme()).append("://").append(request.host());
  co_await exchange.respond(http::Status::ok, text.append("\n"));
}

hotline::Task<> echo(hotline::websocket::Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const std::chrono::seconds pause{argc > 2 ? std::atoi(argv[2]) : 20};
  const hotline::websocket::Upgrader upgrader{{.limits = {.ping_interval = pause}}};
  http::Server server{{.port = static_cast<std::uint16_t>(port),
                       .hosts = {"example.org"},
                       .trusted_proxies = {"127.0.0.1"},
                       .proxy_protocol = argc > 3}};
  server.handle("GET /who", who);
  server.handle("/echo", upgrader.handler(echo));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/echo" << std::endl;
  return server.run();
}
