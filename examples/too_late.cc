// The hijack that fails: who has answered a request has given its connection back.
//   too_late [PORT]
#include <cstdlib>
#include <iostream>

#include <hotline/hotline.h>

namespace http = hotline::http;

hotline::Task<> too_late(http::Exchange exchange) {
  co_await exchange.respond(http::Status::ok, "here is your answer\n");
  try {
    auto stream = co_await exchange.hijack();
    co_await stream.write("and here is more");
  } catch (const hotline::Error& error) {
    std::cout << "no hijack: " << error.what() << std::endl;
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/too-late", too_late);
  server.listen();
  std::cout << "http://127.0.0.1:" << server.port() << "/too-late" << std::endl;
  return server.run();
}
