// The echo one writes with Boost.Beast: its asynchronous server example, on one thread. It is given
// what its documentation offers for speed: TCP_NODELAY, and no splitting of messages into frames.
#include <csignal>
#include <cstdint>
#include <cstdio>
#include <exception>
#include <functional>
#include <memory>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/websocket.hpp>

#include "arguments.h"

namespace hotline::bench {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
using asio::ip::tcp;
using beast::error_code;

class Echo : public std::enable_shared_from_this<Echo> {
 public:
  explicit Echo(tcp::socket&& socket) : stream_(std::move(socket)) {}

  void run() {
    using beast::websocket::stream_base;
    error_code ignored;
    beast::get_lowest_layer(stream_).socket().set_option(tcp::no_delay(true), ignored);
    stream_.set_option(stream_base::timeout::suggested(beast::role_type::server));
    stream_.read_message_max(64 * 1024 * 1024);
    stream_.auto_fragment(false);
    stream_.async_accept(beast::bind_front_handler(&Echo::accepted, shared_from_this()));
  }

 private:
  void accepted(error_code error) {
    if (!error) read();
  }

  void read() {
    stream_.async_read(buffer_, beast::bind_front_handler(&Echo::received, shared_from_this()));
  }

  void received(error_code error, std::size_t) {
    if (error) return;
    stream_.text(stream_.got_text());
    stream_.async_write(buffer_.data(),
                        beast::bind_front_handler(&Echo::written, shared_from_this()));
  }

  void written(error_code error, std::size_t) {
    if (error) return;
    buffer_.consume(buffer_.size());
    read();
  }

  beast::websocket::stream<beast::tcp_stream> stream_;
  beast::flat_buffer buffer_;
};

void accept(tcp::acceptor& acceptor) {
  acceptor.async_accept([&acceptor](error_code error, tcp::socket socket) {
    if (error == asio::error::operation_aborted) return;
    if (!error) std::make_shared<Echo>(std::move(socket))->run();
    accept(acceptor);
  });
}

void serve(std::uint16_t port) {
  asio::io_context context{1};
  tcp::acceptor acceptor{context};
  const tcp::endpoint endpoint{asio::ip::address_v4::loopback(), port};
  acceptor.open(endpoint.protocol());
  acceptor.set_option(asio::socket_base::reuse_address(true));
  acceptor.bind(endpoint);
  acceptor.listen(4096);
  std::printf("listening on %d\n", acceptor.local_endpoint().port());
  std::fflush(stdout);
  asio::signal_set signals{context, SIGTERM, SIGINT};
  signals.async_wait([&context](error_code, int) { context.stop(); });
  accept(acceptor);
  context.run();
}

}  // namespace
}  // namespace hotline::bench

int main(int argc, char** argv) {
  try {
    hotline::bench::Arguments arguments(argc, argv);
    const auto port = arguments.number<std::uint16_t>("--port", 0);
    arguments.finish();
    hotline::bench::serve(port);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_beast_echo: %s\n", error.what());
    return 1;
  }
}
