// Whose pages may connect, and what this end speaks.
//   pages [PORT]
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

hotline::Task<> welcome(hotline::websocket::Connection connection) {
  std::string greeting{"let us speak "};
  co_await connection.write(greeting.append(connection.subprotocol()));
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const hotline::websocket::Upgrader upgrader{
      {.subprotocols = {"chat.v2", "chat.v1"},
       .origins = {"https://example.org", "https://*.example.org"},
       .headers = {{"Set-Cookie", "seen=yes; Secure; HttpOnly"}}}};
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/welcome", upgrader.handler(welcome));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/welcome" << std::endl;
  return server.run();
}
