// Middleware: around all requests a look at the clock, around one route a look at who asks.
//   middleware [PORT]     then, say: curl -H 'Authorization: Bearer sesame'
//   http://127.0.0.1:8080/me
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

namespace http = hotline::http;

hotline::Task<> timed(http::Exchange exchange, const http::Handler& next) {
  const std::string path{exchange.request().path()};  // views end with the answer: copy
  const auto begin = std::chrono::steady_clock::now();
  co_await next(std::move(exchange));
  const std::chrono::duration<double, std::micro> taken = std::chrono::steady_clock::now() - begin;
  std::cout << path << " took " << taken.count() << " us" << std::endl;
}

// Takes the same time wherever the texts differ, so that nobody learns a token byte by byte.
bool is_same(std::string_view a, std::string_view b) {
  unsigned char difference = a.size() == b.size() ? 0 : 1;
  for (std::size_t i = 0; i < a.size() && i < b.size(); ++i) {
    difference = static_cast<unsigned char>(difference | (a[i] ^ b[i]));
  }
  return difference == 0;
}

hotline::Task<> with_token(http::Exchange exchange, const http::Handler& next) {
  if (!is_same(exchange.request().header("Authorization"), "Bearer sesame")) {
    auto response = http::Response{http::Status::unauthorized, "who are you?\n"};
    response.add("WWW-Authenticate", "Bearer");
    co_return co_await exchange.respond(response);
  }
  co_await next(std::move(exchange));
}

hotline::Task<> greet(http::Exchange exchange) {
  const auto name = exchange.request().query_parameter("name").value_or("friend");
  co_await exchange.respond(http::Status::ok, "hello, " + name + "\n");
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.use(timed);
  server.handle("GET /me", http::wrap(with_token, greet));
  server.listen();
  std::cout << "http://127.0.0.1:" << server.port() << "/me" << std::endl;
  return server.run();
}
