// A client: says what it is given, and prints what comes back.
//   client URL WORD...
#include <iostream>
#include <string>
#include <vector>

#include <hotline/hotline.h>

using hotline::websocket::CloseCode;
using hotline::websocket::Dialer;
using hotline::websocket::DialRefused;

hotline::Task<int> talk(std::string url, std::vector<std::string> words) {
  const Dialer dialer{{.subprotocols = {"echo"}, .headers = {{"Authorization", "Bearer sesame"}}}};
  auto connection = co_await dialer.dial(url);
  for (const auto& word : words) {
    co_await connection.write(word);
    const auto answer = co_await connection.read();
    if (!answer) break;
    std::cout << answer->text() << std::endl;
  }
  const auto status = co_await connection.close();
  co_return status.code() == CloseCode::normal ? 0 : 1;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  try {
    return hotline::run(talk(argv[1], {argv + 2, argv + argc}));
  } catch (const DialRefused& refused) {  // it has answered, but not with a WebSocket
    std::cerr << refused.what() << '\n' << refused.body();
    if (refused.status() == 401) std::cerr << refused.header("WWW-Authenticate") << '\n';
  } catch (const hotline::Error& error) {
    std::cerr << error.what() << '\n';
    if (error.is(hotline::Condition::certificate_rejected)) return 3;
  }
  return 1;
}
