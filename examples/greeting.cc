// A request and its answer; and another, on the same connection.
//   greeting [PORT]        then: curl http://127.0.0.1:8080/greeting/ada
//   http://127.0.0.1:8080/greeting/bob
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

namespace http = hotline::http;

hotline::Task<> greet(http::Exchange exchange) {
  const auto& request = exchange.request();
  const std::string name{request.parameter("name")};
  co_await exchange.respond(http::Status::ok,
                            "hello " + name + ", " + request.remote_address().to_string() + "\n");
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("GET /greeting/{name}", greet);
  server.listen();
  std::cout << "http://127.0.0.1:" << server.port() << "/greeting/ada" << std::endl;
  return server.run();
}
