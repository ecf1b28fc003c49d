// beast_server [PORT]: a WebSocket route in an existing Beast server; the rest is as it was.
#include <cstdlib>
#include <iostream>

#include <boost/asio.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>

#include <hotline/asio.h>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using asio::use_awaitable;

const hotline::websocket::Upgrader upgrader;

hotline::Task<> echo(hotline::websocket::Connection connection) {
  while (auto message = co_await connection.read()) co_await connection.write(*message);
}

asio::awaitable<void> session(beast::tcp_stream stream) {
  beast::flat_buffer buffer;
  for (bool more = true; more;) {
    http::request<http::string_body> request;
    co_await http::async_read(stream, buffer, request, use_awaitable);
    if (request.target() == "/echo") {  // the new route; a refusal is answered by it, too
      auto connection = hotline::accept(upgrader, request, stream.release_socket(), buffer.data());
      if (!connection) co_return;
      auto echoing = echo(std::move(*connection));
      co_return co_await hotline::async_start(stream.get_executor(), std::move(echoing),
                                              use_awaitable);
    }
    http::response<http::string_body> response{http::status::ok, request.version()};
    response.body() = "hello from Beast\n";
    response.keep_alive(more = request.keep_alive());
    response.prepare_payload();
    co_await http::async_write(stream, response, use_awaitable);
  }
}

asio::awaitable<void> accept(asio::ip::tcp::acceptor& acceptor) {
  for (;;) {
    beast::tcp_stream stream{co_await acceptor.async_accept(use_awaitable)};
    asio::co_spawn(acceptor.get_executor(), session(std::move(stream)), asio::detached);
  }
}

int main(int argc, char** argv) {
  const auto port = static_cast<std::uint16_t>(argc > 1 ? std::atoi(argv[1]) : 8080);
  asio::io_context context{1};  // run by one thread: Hotline asks for that
  asio::ip::tcp::acceptor acceptor{context, {asio::ip::address_v4::loopback(), port}};
  std::cout << "ws://127.0.0.1:" << acceptor.local_endpoint().port() << "/echo" << std::endl;
  asio::co_spawn(context, accept(acceptor), asio::detached);
  asio::signal_set signals{context, SIGINT, SIGTERM};
  signals.async_wait([&](auto, int) {
    hotline::async_drain(context, [&](std::exception_ptr) { context.stop(); });
  });
  context.run();
}
