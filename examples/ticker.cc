// Only pushes: a count, ten times a second, until the peer hangs up.
//   ticker [PORT]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

using namespace std::chrono_literals;

hotline::Task<> tick(hotline::websocket::Connection& connection) {
  for (int count = 1;; ++count) {
    co_await connection.write(std::to_string(count));
    co_await hotline::sleep(100ms);
  }
}

hotline::Task<> ticker(hotline::websocket::Connection connection) {
  connection.discard_input();  // nobody reads: what comes is dropped, and a close is noticed
  hotline::TaskGroup group;    // leaving the scope cancels its tasks
  group.spawn(tick(connection));
  const auto status = co_await connection.closed();
  std::cout << "closed: " << static_cast<int>(status.code()) << std::endl;
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const hotline::websocket::Upgrader upgrader;
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/ticker", upgrader.handler(ticker));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/ticker" << std::endl;
  return server.run();
}
