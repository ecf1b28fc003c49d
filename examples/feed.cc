// Reads and pushes at once: the peer names what it wants to hear of, the prices come by themselves.
//   feed [PORT]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <set>
#include <string>
#include <vector>

#include <hotline/hotline.h>

using namespace std::chrono_literals;
using hotline::websocket::Connection;

using Names = std::set<std::string>;

// Both coroutines are of one loop, hence of one thread: what they share needs no lock.
hotline::Task<> push_prices(Connection& connection, const Names& wanted) {
  for (int price = 100;; ++price) {
    // Copied, since the set may change while a write waits.
    const std::vector<std::string> names{wanted.begin(), wanted.end()};
    for (const auto& name : names) {
      co_await connection.write(name + ' ' + std::to_string(price));
    }
    co_await hotline::sleep(100ms);
  }
}

hotline::Task<> feed(Connection connection) {
  Names wanted;
  hotline::TaskGroup group;  // leaving the scope cancels its tasks
  group.spawn(push_prices(connection, wanted));
  while (auto message = co_await connection.read()) {
    if (wanted.size() < 10) wanted.emplace(message->text());
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const hotline::websocket::Upgrader upgrader;
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/feed", upgrader.handler(feed));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/feed" << std::endl;
  return server.run();
}
