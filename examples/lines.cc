// The bare act: a request comes, and the handler takes its connection over. From then on the two
// ends speak what they like; here, lines of text, each said backwards.
//   lines [PORT]
#include <array>
#include <cstdlib>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

hotline::Task<> speak(hotline::http::Exchange exchange) {
  // Nothing is sent, no 101: that is for switch_protocols.
  auto stream = co_await exchange.hijack();
  co_await stream.write("say something\n");

  std::array<char, 1024> bytes;
  std::string text;
  // What came behind the request is read first.
  while (const auto size = co_await stream.read_some(bytes)) {
    text.append(bytes.data(), size);
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n')) {
      const std::string backwards{text.rend() - static_cast<std::ptrdiff_t>(end), text.rend()};
      text.erase(0, end + 1);
      if (backwards.empty()) co_return;  // an empty line hangs up
      co_await stream.write(backwards + '\n');
    }
    if (text.size() > 64 * 1024) co_return;  // whoever speaks lines decides how long one may be
  }
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port)}};
  server.handle("GET /lines", speak);
  server.listen();
  std::cout << "http://127.0.0.1:" << server.port() << "/lines" << std::endl;
  return server.run();
}
