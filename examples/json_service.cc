// A service in JSON: described structs in, described structs out.
//   json_service [PORT]     then, say: {"action": "add", "numbers": [1, 2.5]}
#include <cstdlib>
#include <iostream>
#include <numeric>
#include <optional>
#include <string>
#include <vector>

#include <hotline/hotline.h>
#include <hotline/json.h>

enum class Action { add, count };
BOOST_DESCRIBE_ENUM(Action, add, count)

struct Order {
  Action action = Action::add;
  std::vector<double> numbers;
  std::optional<std::string> note;  // may be missing
};
BOOST_DESCRIBE_STRUCT(Order, (), (action, numbers, note))

struct Answer {
  double result = 0;
  std::optional<std::string> note;
};
BOOST_DESCRIBE_STRUCT(Answer, (), (result, note))

double carry_out(const Order& order) {
  if (order.action == Action::count) return static_cast<double>(order.numbers.size());
  return std::accumulate(order.numbers.begin(), order.numbers.end(), 0.0);
}

hotline::Task<> serve(hotline::websocket::Connection connection) {
  // What is no Order closes the connection with 1007 and says where it is wrong.
  hotline::Json json{connection, {.depth = 4, .unknown_members = false, .close_invalid = true}};
  while (auto order = co_await json.read<Order>()) {
    const Answer answer{carry_out(*order), order->note};
    co_await json.write(answer);
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const hotline::websocket::Upgrader upgrader;
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/orders", upgrader.handler(serve));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/orders" << std::endl;
  return server.run();
}
