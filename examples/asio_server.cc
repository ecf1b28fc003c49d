// A bare Asio accept loop: what it accepts is served by Hotline's routes, on its own thread.
//   asio_server [PORT]
#include <cstdlib>
#include <iostream>
#include <string>

#include <boost/asio.hpp>

#include <hotline/asio.h>
#include <hotline/hotline.h>

namespace asio = boost::asio;
using asio::use_awaitable;

// The connection in Asio's own coroutines: no Task is needed.
asio::awaitable<void> count(hotline::websocket::Connection connection) {
  std::size_t bytes = 0;
  while (auto message = co_await hotline::async_read(connection, use_awaitable)) {
    bytes += message->size();
    co_await hotline::async_write(connection, std::to_string(bytes), use_awaitable);
  }
}

asio::awaitable<void> accept(asio::ip::tcp::acceptor& acceptor, hotline::http::Server& server) {
  for (;;) hotline::serve(server, co_await acceptor.async_accept(use_awaitable));
}

int main(int argc, char** argv) {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080);
  asio::io_context context{1};
  hotline::http::Server server;  // it neither listens nor runs, and ends before the context
  const hotline::websocket::Upgrader upgrader;
  server.handle("/count", upgrader.handler([&](hotline::websocket::Connection connection) {
    asio::co_spawn(context, count(std::move(connection)), asio::detached);
    return hotline::Task<>{};
  }));

  asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), port}};
  std::cout << "ws://127.0.0.1:" << acceptor.local_endpoint().port() << "/count" << std::endl;
  asio::co_spawn(context, accept(acceptor, server), asio::detached);
  asio::signal_set signals{context, SIGINT, SIGTERM};
  signals.async_wait([&](auto, int) {
    hotline::async_drain(context, [&](std::exception_ptr) { context.stop(); });
  });
  context.run();
}
