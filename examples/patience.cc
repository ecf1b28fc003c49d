// A read that does not wait for ever, and a connection that is none the worse for it.
//   patience [PORT]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <optional>
#include <string>

#include <hotline/hotline.h>

using namespace std::chrono_literals;
using hotline::websocket::Connection;

hotline::Task<std::optional<std::string>> next(Connection& connection) {
  auto message = co_await connection.read();
  if (!message) co_return std::nullopt;
  co_return std::string{message->text()};
}

hotline::Task<> listen(Connection connection) {
  for (;;) {
    bool silent = false;
    try {
      auto text = co_await hotline::deadline(300ms, next(connection));
      if (!text) co_return;
      co_await connection.write("I heard: " + *text);
    } catch (const hotline::Error& error) {
      if (!error.is(hotline::Condition::timed_out)) throw;
      silent = true;  // no co_await stands in a catch block
    }
    if (silent) co_await connection.write("are you still there?");
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const hotline::websocket::Upgrader upgrader;
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/listen", upgrader.handler(listen));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/listen" << std::endl;
  return server.run();
}
