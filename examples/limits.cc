// Limits: the server's, and a route's own.
//   limits [PORT]
#include <chrono>
#include <cstdlib>
#include <iostream>

#include <hotline/hotline.h>

using namespace std::chrono_literals;
using hotline::websocket::Upgrader;

hotline::Task<> echo(hotline::websocket::Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port),
                                .header_bytes = 8 * 1024,
                                .head_timeout = 5s,
                                .max_connections = 20'000,
                                .drain_timeout = 30s}};
  const Upgrader chat{{.limits = {.message_size = 4 * 1024,
                                  .ping_interval = 10s,
                                  .ping_timeout = 5s,
                                  .idle_timeout = 10min}}};
  const Upgrader upload{{.limits = {.message_size = 64 * 1024 * 1024, .message_time = 10min}}};
  server.handle("/chat", chat.handler(echo));
  server.handle("/upload", upload.handler(echo));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/chat" << std::endl;
  return server.run();
}
