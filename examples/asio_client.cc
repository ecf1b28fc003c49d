// Boost.Asio in a handler: each message becomes a line to a TCP service, its answer a message.
//   asio_client [PORT [SERVICE_PORT]]
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include <boost/asio.hpp>

#include <hotline/asio.h>
#include <hotline/hotline.h>

using namespace std::chrono_literals;
namespace asio = boost::asio;
using asio::ip::tcp;
using hotline::use_task;

// Tries until somebody listens there.
hotline::Task<tcp::socket> dial(tcp::endpoint service) {
  asio::steady_timer pause{hotline::this_loop_context()};
  for (;;) {
    tcp::socket socket{hotline::this_loop_context()};
    const auto [error] = co_await socket.async_connect(service, asio::as_tuple(use_task));
    if (!error) co_return std::move(socket);
    pause.expires_after(50ms);
    co_await pause.async_wait(use_task);
  }
}

hotline::Task<> forward(hotline::websocket::Connection connection, tcp::endpoint service) {
  auto socket = co_await hotline::deadline(10s, dial(service));
  std::string received;
  while (auto message = co_await connection.read()) {
    const auto line = std::string{message->text()} + '\n';
    co_await asio::async_write(socket, asio::buffer(line), use_task);
    const auto size =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(received), '\n', use_task);
    co_await connection.write(received.substr(0, size - 1));
    received.erase(0, size);
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const int service_port = argc > 2 ? std::atoi(argv[2]) : 7;
  const tcp::endpoint service{asio::ip::address_v4::loopback(),
                              static_cast<std::uint16_t>(service_port)};
  const hotline::websocket::Upgrader upgrader;
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/forward", upgrader.handler([service](hotline::websocket::Connection connection) {
    return forward(std::move(connection), service);
  }));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/forward" << std::endl;
  return server.run();
}
