// The echo: what comes in goes back out, text as text and binary as binary.
#include <hotline/hotline.h>

hotline::Task<> echo(hotline::websocket::Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
}

int main() {
  const hotline::websocket::Upgrader upgrader{{.subprotocols = {"echo"}}};
  hotline::http::Server server{{.port = 8080}};
  server.handle("/echo", upgrader.handler(echo));
  return server.run();
}
