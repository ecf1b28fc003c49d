// Publishes what it hears to all its connections, the speaker too: Prepared, by Sender.
//   bench_fanout_server --port PORT
#include <cstdio>
#include <exception>
#include <memory>
#include <unordered_map>

#include <hotline/hotline.h>

#include "arguments.h"

namespace {

using hotline::Task;
using hotline::websocket::Connection;
using hotline::websocket::Prepared;
using hotline::websocket::Sender;

std::unordered_map<const Connection*, Sender> everybody;  // one thread: no lock

Task<> feed(Connection connection) {
  const Connection* const key = &connection;
  everybody.emplace(key, connection.sender());
  while (auto message = co_await connection.read()) {
    const Prepared prepared{message->bytes()};
    for (const auto& [other, sender] : everybody) sender.send(prepared);
  }
  everybody.erase(key);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    hotline::bench::Arguments arguments(argc, argv);
    const auto port = arguments.number<std::uint16_t>("--port", 0);
    arguments.finish();
    const hotline::websocket::Upgrader upgrader;
    hotline::http::Server server{{.port = port}};
    server.handle("/feed", upgrader.handler(feed));
    return server.run();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_fanout_server: %s\n", error.what());
    return 1;
  }
}
