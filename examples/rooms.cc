// A chat of two rooms, one of which is busy: everybody hears everybody by an outbox of his own, and
// who reads too slowly loses the oldest lines rather than hold up the others.
//   rooms [PORT]
#include <cstdlib>
#include <iostream>
#include <map>
#include <mutex>
#include <string>

#include <hotline/hotline.h>

using namespace hotline::websocket;

class Room {
 public:
  int enter(Sender sender) {
    const std::lock_guard lock{mutex_};
    members_.emplace(++last_, std::move(sender));
    return last_;
  }
  void leave(int member) {
    const std::lock_guard lock{mutex_};
    members_.erase(member);
  }
  void say(const std::string& line) const {
    const Prepared prepared{line};  // put into its frame once, for all
    const std::lock_guard lock{mutex_};
    for (const auto& [member, sender] : members_) sender.send(prepared);
  }

 private:
  mutable std::mutex mutex_;  // the server has two threads, and a Sender works from any
  std::map<int, Sender> members_;
  int last_ = 0;
};

Room red;
Room blue;

hotline::Task<> chat(Connection connection, Room& room) {
  const int me =
      room.enter(connection.sender({.messages = 100, .overflow = Overflow::drop_oldest}));
  while (auto message = co_await connection.read()) {
    if (message->is_text()) room.say(std::to_string(me) + ": " + std::string(message->text()));
  }
  room.leave(me);
}

int main(int argc, char** argv) {
  const int port = argc > 1 ? std::atoi(argv[1]) : 8080;  // 0: one that is free
  const Upgrader upgrader;
  hotline::http::Server server{{.port = static_cast<std::uint16_t>(port), .threads = 2}};
  server.handle("/red", upgrader.handler([](Connection c) { return chat(std::move(c), red); }));
  server.handle("/blue", upgrader.handler([](Connection c) { return chat(std::move(c), blue); }));
  server.listen();
  std::cout << "ws://127.0.0.1:" << server.port() << "/red and /blue" << std::endl;
  return server.run();
}
