// Routes: methods, hosts, wildcards, subtrees; the most specific one serves.
//   routes [PORT]
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

namespace http = hotline::http;

// Says which route serves, and what its wildcards stand for.
http::Handler say(const std::string& route, const std::string& wildcard = {}) {
  // The server keeps a handler until its last coroutine has ended.
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
  return [route, wildcard](http::Exchange exchange) -> hotline::Task<> {
    auto text = route;
    if (!wildcard.empty()) text.append(": ").append(exchange.request().parameter(wildcard));
    co_await exchange.respond(http::Status::ok, text.append("\n"));
  };
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  http::Server server{{.port = static_cast<std::uint16_t>(port), .hosts = {"example.org"}}};
  server.handle("GET /{$}", say("the front door"));
  server.handle("GET /rooms/{room}", say("a room", "room"));
  server.handle("GET /rooms/lobby", say("the lobby"));
  server.handle("DELETE /rooms/{room}", say("a room less", "room"));
  server.handle("/files/{path...}", say("a file", "path"));
  server.handle("/archive/", say("all below the archive"));
  server.handle("example.org/rooms/", say("another house"));
  server.listen();
  std::cout << "http://127.0.0.1:" << server.port() << "/" << std::endl;
  return server.run();
}
