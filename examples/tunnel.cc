// A TCP service behind a WebSocket: bytes in both directions, in constant space.
//   tunnel [PORT [SERVICE_PORT]]
#include <array>
#include <cstdlib>
#include <iostream>

#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/write.hpp>

#include <hotline/asio.h>
#include <hotline/hotline.h>

namespace asio = boost::asio;
using asio::ip::tcp;
using hotline::websocket::ByteTunnel;

hotline::Task<> to_service(ByteTunnel& tunnel, tcp::socket& socket) {
  std::array<char, 16384> buffer;
  while (const auto size = co_await tunnel.read_some(buffer)) {
    co_await asio::async_write(socket, asio::buffer(buffer, size), hotline::use_task);
  }
  socket.shutdown(tcp::socket::shutdown_send);
}

hotline::Task<> tunnel(hotline::websocket::Connection connection, std::uint16_t port) {
  tcp::socket socket{hotline::this_loop_context()};
  const tcp::endpoint service{asio::ip::address_v4::loopback(), port};
  co_await socket.async_connect(service, hotline::use_task);
  ByteTunnel bytes{std::move(connection)};
  hotline::TaskGroup group;  // leaving the scope ends the other direction
  group.spawn(to_service(bytes, socket));
  std::array<char, 16384> buffer;
  for (boost::system::error_code code;;) {
    const auto token = asio::redirect_error(hotline::use_task, code);
    const auto size = co_await socket.async_read_some(asio::buffer(buffer), token);
    if (code) break;  // the service has hung up: leaving closes the connection
    co_await bytes.write({buffer.data(), size});
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const auto service = static_cast<std::uint16_t>(argc > 2 ? std::atoi(argv[2]) : 22);
  const hotline::websocket::Upgrader upgrader;
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/tunnel", upgrader.handler([service](hotline::websocket::Connection connection) {
    return tunnel(std::move(connection), service);
  }));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/tunnel" << std::endl;
  return server.run();
}
