// A long job on another thread that tells how far it is: only the newest news waits for a slow
// reader.
//   progress [PORT]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>

#include <hotline/hotline.h>

using namespace std::chrono_literals;
using namespace hotline::websocket;

// Not on the loop's thread. The sender may outlive the connection: then nobody wants the result.
int count_slowly(const Sender& news, int steps) {
  for (int step = 1; step <= steps && news.is_open(); ++step) {
    std::this_thread::sleep_for(5ms);
    news.send(std::to_string(100 * step / steps) + " %", "progress");  // in place of the one before
  }
  return steps;
}

hotline::Task<> work(Connection connection) {
  while (auto message = co_await connection.read()) {
    const int steps = std::atoi(std::string(message->text()).c_str());
    if (steps < 1 || steps > 1000) {
      co_await connection.close(CloseCode::policy_violation, "between 1 and 1000");
      break;
    }
    const auto news = connection.sender({.messages = 8, .overflow = Overflow::conflate});
    hotline::Offload job{[news, steps] { return count_slowly(news, steps); }};
    const int result = co_await job;
    news.send("counted to " + std::to_string(result));
    co_await news.drained();
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const Upgrader upgrader;
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/work", upgrader.handler(work));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/work" << std::endl;
  return server.run();
}
