// A client that comes back: prints what it hears, however often the server goes away.
//   follow URL
#include <chrono>
#include <iostream>
#include <string>

#include <hotline/hotline.h>

using namespace std::chrono_literals;
using hotline::websocket::DialAttempt;
using hotline::websocket::ReconnectingDialer;

void tell(const DialAttempt& attempt) {
  switch (attempt.outcome) {
    case DialAttempt::Outcome::connected: std::cout << "connected" << std::endl; break;
    case DialAttempt::Outcome::lost:
    case DialAttempt::Outcome::failed:
      std::cout << "again soon: " << attempt.why << std::endl;
      break;
    case DialAttempt::Outcome::gave_up: break;
  }
}

hotline::Task<int> follow(std::string url) {
  const hotline::websocket::DialerOptions how{.timeout = 5s};
  ReconnectingDialer dialer{url, how, {.first = 100ms, .most = 30s, .on_attempt = tell}};
  while (auto connection = co_await dialer.next()) {
    while (auto message = co_await connection->read()) {
      std::cout << message->text() << std::endl;
    }
  }
  std::cout << "no use: " << dialer.why() << std::endl;
  co_return 1;
}

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  return hotline::run(follow(argv[1]));
}
