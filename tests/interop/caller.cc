// Our Dialer's conversations with other people's servers: caller URL CONVERSATION [CA]. The server
// has the paths of gorilla/server.go. Status 0: all well.
#include <algorithm>
#include <cstdio>
#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include <hotline/hotline.h>
#include <hotline/websocket/dialer.h>

namespace {

using hotline::Task;
using hotline::websocket::CloseCode;
using hotline::websocket::ClosedBy;
using hotline::websocket::Connection;
using hotline::websocket::Dialer;
using hotline::websocket::DialerOptions;
using namespace std::chrono_literals;

void expect(bool condition, const std::string& what) {
  if (!condition) throw std::runtime_error(what);
}

class Caller {
 public:
  Caller(std::string url, const std::string& ca) : url_(std::move(url)) {
    options_.limits.message_size = std::uint64_t{64} << 20;
    options_.limits.fragments = 1'000'000;
    options_.tls.ca_file = ca;
  }

  Task<> converse(const std::string& name) {
    static const std::map<std::string, Task<> (Caller::*)() const> conversations{
        {"sizes", &Caller::sizes},       {"pieces", &Caller::pieces},
        {"pings", &Caller::pings},       {"pinged", &Caller::pinged},
        {"closes", &Caller::closes},     {"closed", &Caller::closed},
        {"greeted", &Caller::greeted},   {"subprotocol", &Caller::subprotocol},
        {"together", &Caller::together}, {"many", &Caller::many},
        {"refused", &Caller::refused},
    };
    return (this->*conversations.at(name))();
  }

 private:
  Task<Connection> open(std::string path) const {
    const Dialer dialer{options_};
    auto connection = co_await dialer.dial(url_ + path);
    co_return connection;
  }

  static Task<> hears(Connection& connection, std::string_view expected, bool text) {
    const auto message = co_await connection.read();
    expect(message.has_value(), "the connection ended");
    expect(message->is_text() == text && message->text() == expected,
           "another message, of " + std::to_string(message->size()) + " bytes instead of " +
               std::to_string(expected.size()));
  }

  static Task<> echoes(Connection& connection, std::string_view message, bool text) {
    if (text) {
      co_await connection.write(message);
    } else {
      co_await connection.write(std::as_bytes(std::span{message}));
    }
    co_await hears(connection, message, text);
  }

  static Task<> hang_up(Connection& connection) {
    const auto status = co_await connection.close();
    expect(status.code() == CloseCode::normal && status.closed_by() == ClosedBy::us,
           "the end is not ours");
  }

  static Task<> of_all_sizes(Connection& connection) {
    for (const std::size_t size : {0, 1, 125, 126, 65535, 65536, 1 << 20}) {
      std::string wide;
      while (wide.size() + 14 <= size) wide += "電話☎📞";
      for (const bool text : {true, false}) {
        co_await echoes(connection, std::string(size, '*'), text);
        co_await echoes(connection, wide, text);
      }
      co_await echoes(connection, std::string(size, '\xff'), false);
    }
    co_await hang_up(connection);
  }

  Task<> sizes() const {
    auto connection = co_await open("/echo");
    co_await of_all_sizes(connection);
  }

  Task<> pieces() const {
    for (const auto* size : {"128", "1000", "65536"}) {
      auto connection = co_await open(std::string("/pieces?size=") + size);
      co_await of_all_sizes(connection);
    }
  }

  Task<> pings() const {
    auto connection = co_await open("/echo");
    for (int i = 0; i < 3; ++i) {
      const auto round_trip = co_await connection.ping();
      expect(round_trip && *round_trip > 0ns, "no pong");
    }
    co_await echoes(connection, "then", true);
    co_await hang_up(connection);
  }

  Task<> pinged() const {
    for (const auto& payload : {std::string{}, std::string("Hello"), std::string(125, '*')}) {
      auto connection = co_await open("/ping?payload=" + payload);
      std::vector<std::string> heard;
      connection.on_ping([&](std::string_view bytes) { heard.emplace_back(bytes); });
      co_await hears(connection, "pong: " + payload, true);
      expect(heard == std::vector{payload}, "another ping");
      co_await hang_up(connection);
    }
  }

  Task<> closes() const {
    for (const int code : {1000, 1001, 1003, 1008, 1011, 3000, 4999}) {
      for (const auto* reason : {"", "Good bye", "Auf Wiedersehn ☎"}) {
        auto connection = co_await open("/echo");
        co_await echoes(connection, "Hello", true);
        const auto status = co_await connection.close(static_cast<CloseCode>(code), reason);
        expect(status.closed_by() == ClosedBy::us && static_cast<int>(status.code()) == code,
               "the end is not ours: " + std::to_string(code));
      }
    }
  }

  Task<> closed() const {
    for (const int code : {1000, 1001, 1003, 1008, 1011, 3000, 4999}) {
      for (const auto* reason : {"", "Good+bye"}) {
        auto connection =
            co_await open("/close?code=" + std::to_string(code) + "&reason=" + reason);
        const auto message = co_await connection.read();
        expect(!message, "a message");
        const auto& status = connection.close_status();
        const std::string_view expected = *reason ? "Good bye" : "";
        expect(status.closed_by() == ClosedBy::peer && static_cast<int>(status.code()) == code &&
                   status.reason() == expected,
               "the end is not theirs: " + std::to_string(code));
      }
    }
  }

  // What comes in one piece with the answer to the request is not lost.
  Task<> greeted() const {
    auto connection = co_await open("/greet");
    co_await hears(connection, "hello", true);
    co_await echoes(connection, "hello yourself", true);
    co_await hang_up(connection);
  }

  Task<> subprotocol() const {
    auto options = options_;
    options.subprotocols = {"superchat", "echo"};
    const Dialer dialer{options};
    auto connection = co_await dialer.dial(url_ + "/echo");
    expect(connection.subprotocol() == "echo", "another subprotocol");
    co_await echoes(connection, "Hello", true);
    co_await hang_up(connection);
  }

  Task<> talk(int name) const {
    auto connection = co_await open("/echo");
    for (std::size_t i = 0; i < 100; ++i) {
      co_await echoes(connection, std::to_string(name) + " " + std::string(i * 37, '*'), true);
    }
    co_await hang_up(connection);
  }

  Task<> together() const {
    hotline::TaskGroup group;
    for (int name = 0; name < 20; ++name) group.spawn(talk(name));
    co_await group.join();
  }

  static std::string numbered(std::size_t i) {
    return std::string(i * 131 % 5000, static_cast<char>('a' + i % 26));
  }

  static Task<> send_many(Connection& connection, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      const auto message = numbered(i);
      const bool taken = co_await connection.write(message);
      expect(taken, "the connection ended");
    }
  }

  Task<> many() const {
    auto connection = co_await open("/echo");
    constexpr std::size_t count = 2000;
    hotline::TaskGroup group;
    group.spawn(send_many(connection, count));
    for (std::size_t i = 0; i < count; ++i) co_await hears(connection, numbered(i), true);
    co_await group.join();
    co_await hang_up(connection);
  }

  Task<> refused() const {
    int status = 0;
    try {
      auto connection = co_await open("/nothing");
    } catch (const hotline::websocket::DialRefused& error) {
      status = error.status();
    }
    expect(status >= 400 && status < 500, "status " + std::to_string(status));
  }

  std::string url_;
  DialerOptions options_;
};

Task<> converse(Caller& caller, std::string conversation) {
  auto limited = hotline::deadline(60s, caller.converse(conversation));
  co_await limited;
}

}  // namespace

int main(int count, char** arguments) {
  if (count < 3) return 2;
  try {
    Caller caller{arguments[1], count > 3 ? arguments[3] : ""};
    hotline::run(converse(caller, arguments[2]));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s: %s\n", arguments[2], error.what());
    return 1;
  }
}
