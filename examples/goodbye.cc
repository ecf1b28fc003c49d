// Reads, writes, and both ways a call ends: we hang up at "bye", or the other side does.
//   goodbye [PORT]
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

namespace websocket = hotline::websocket;

hotline::Task<> talk(websocket::Connection connection) {
  while (auto message = co_await connection.read()) {
    if (message->text() == "bye") {
      co_await connection.close(websocket::CloseCode::normal, "it was a pleasure");
      break;
    }
    co_await connection.write("you said: " + std::string{message->text()});
  }

  const auto& status = connection.close_status();
  const bool by_us = status.closed_by() == websocket::ClosedBy::us;
  std::cout << (by_us ? "we" : "they") << " hung up: " << static_cast<int>(status.code()) << ", "
            << hotline::escaped(status.reason()) << std::endl;
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const websocket::Upgrader upgrader;
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/talk", upgrader.handler(talk));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/talk" << std::endl;
  return server.run();
}
