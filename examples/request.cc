// A look at the request first: who asks, and for which room. Then the call.
//   request [PORT]        then, say: websocat -H 'Authorization: me' ws://127.0.0.1:8080/chat/blue
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

namespace http = hotline::http;

const hotline::websocket::Upgrader upgrader{{.subprotocols = {"chat.v2", "chat.v1"}}};

hotline::Task<> chat(http::Exchange exchange) {
  if (exchange.request().header("Authorization").empty()) {
    co_return co_await exchange.respond(http::Status::unauthorized, "who are you?\n");
  }
  const std::string room{exchange.request().parameter("room")};  // views end with the upgrade: copy
  auto connection = co_await upgrader.upgrade(std::move(exchange));
  if (!connection) co_return;  // refused: answered and logged already

  std::string greeting = room + " welcomes you";
  if (!connection->subprotocol().empty()) greeting.append(" to ").append(connection->subprotocol());
  co_await connection->write(greeting);
  while (auto message = co_await connection->read()) {
    co_await connection->write(room + ": " + std::string{message->text()});
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/chat/{room}", chat);
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/chat/blue" << std::endl;
  return server.run();
}
