// A test of a handler of one's own: in memory and in virtual time, with any test framework.
#include <iostream>
#include <stdexcept>
#include <string>

#include <hotline/hotline.h>
#include <hotline/testing.h>

using namespace std::chrono_literals;
using hotline::testing::VirtualLoop;

// What is to be tested: it reminds whoever says nothing for a minute.
hotline::Task<> remind(hotline::websocket::Connection connection) {
  hotline::TaskGroup group;
  const auto nag = [](hotline::websocket::Connection& to) -> hotline::Task<> {
    co_await hotline::sleep(1min);
    co_await to.write("still there?");
  };
  group.spawn(nag(connection));
  while (auto message = co_await connection.read()) {
    co_await connection.write("you said " + std::string{message->text()});
    group.cancel();
    group.spawn(nag(connection));
  }
}

void expect(bool good, const char* what) {
  if (!good) throw std::runtime_error(what);
}

// On a line as bad as this seed makes it.
void test_reminder(std::uint64_t seed) {
  VirtualLoop loop{seed};
  {
    hotline::http::Server server;  // never listens
    const hotline::websocket::Upgrader upgrader;
    server.handle("/remind", upgrader.handler(remind));
    const hotline::testing::CallOptions line{.stream = hotline::testing::faults(seed)};
    auto caller = hotline::testing::call(loop, server, "/remind", line);

    caller.send("hello");
    expect(caller.receive() == "you said hello", "it answers");
    loop.advance(59s);
    expect(!caller.receive(), "it is quiet for a minute");
    loop.advance(2s);
    expect(caller.receive() == "still there?", "it reminds");
    expect(caller.close().code() == hotline::websocket::CloseCode::normal, "it closes well");
    loop.advance(10s);
  }
  for (const auto& left : loop.end()) throw std::runtime_error(left);
}

int main() {
  hotline::testing::for_each_seed(100, test_reminder);
  std::cout << "well" << std::endl;
}
