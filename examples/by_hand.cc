// A WebSocket by hand: the handshake, then two frames, spelled out. (An Upgrader does it properly.)
//   by_hand [PORT]
#include <array>
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>
#include <hotline/protocol/handshake.h>

namespace http = hotline::http;

hotline::Task<> pick_up(http::Exchange exchange) {
  const auto key = exchange.request().header("Sec-WebSocket-Key");
  if (!exchange.request().is_websocket_upgrade() || !hotline::protocol::valid_key(key)) {
    co_return co_await exchange.respond(http::Status::bad_request, "this is a telephone\n");
  }
  http::Response headers{http::Status::switching_protocols};
  headers.add("Upgrade", "websocket");
  headers.add("Sec-WebSocket-Accept", hotline::protocol::accept_for(key));
  auto line = co_await exchange.switch_protocols(headers);

  co_await line.write("\x81\x05hello");     // the last frame of a text, 5 bytes long
  co_await line.write("\x88\x02\x03\xe8");  // a close, 2 bytes long: 1000
  std::array<char, 1024> bytes;
  const auto size = co_await line.read_some(bytes);  // its own close; then we hang up
  std::cout << "the other side sent " << size << " bytes" << std::endl;
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("/by-hand", pick_up);
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/by-hand" << std::endl;
  return server.run();
}
