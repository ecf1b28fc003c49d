// The optional headers, as others build with them; and in memory it runs.
#include <boost/asio.hpp>

#include <hotline/asio.h>
#include <hotline/hotline.h>
#include <hotline/json.h>
#include <hotline/testing.h>

struct Sum {
  int a = 0;
  int b = 0;
};
BOOST_DESCRIBE_STRUCT(Sum, (), (a, b))

hotline::Task<> add(hotline::websocket::Connection connection) {
  while (auto sum = co_await hotline::read_json<Sum>(connection)) {
    boost::asio::steady_timer timer{hotline::this_loop_context()};
    co_await timer.async_wait(hotline::use_task);
    const int result = sum->a + sum->b;
    co_await hotline::write_json(connection, result);
  }
}

int main() {
  hotline::testing::VirtualLoop loop;
  hotline::http::Server server;
  server.handle("/add", hotline::websocket::Upgrader{}.handler(add));
  auto caller = hotline::testing::call(loop, server, "/add");
  caller.send(R"({"a": 1, "b": 2})");
  return caller.receive() == "3" ? 0 : 1;
}
