// A server that listens in several places, and what it makes of those who come there.
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/http/server.h>

#include "net/socket.h"
#include "support/descriptors.h"
#include "support/test_loop.h"

namespace hotline::http {
namespace {

namespace fs = std::filesystem;

/// A blocking client that gives up after 5 s.
class Caller {
 public:
  explicit Caller(const Address& to) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const auto target = bind_like(to);
    connect(&target, sizeof target);
  }
  explicit Caller(const fs::path& path) : socket_(::socket(AF_UNIX, SOCK_STREAM, 0)) {
    sockaddr_un target{};
    target.sun_family = AF_UNIX;
    path.string().copy(target.sun_path, sizeof target.sun_path - 1);
    connect(&target, sizeof target);
  }
  bool connected() const { return connected_; }
  /// The answer to one request, the last on this connection.
  std::string ask(const std::string& host) {
    const auto text = "GET /who HTTP/1.1\r\nHost: " + host + "\r\nConnection: close\r\n\r\n";
    EXPECT_EQ(::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL), std::ssize(text));
    std::string answer;
    char buffer[4096];
    for (;;) {
      const auto count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      if (count <= 0) return answer;
      answer.append(buffer, static_cast<std::size_t>(count));
    }
  }

 private:
  static sockaddr_in bind_like(const Address& to) {
    sockaddr_in target{};
    target.sin_family = AF_INET;
    target.sin_port = htons(to.port());
    target.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return target;
  }
  void connect(const void* target, socklen_t size) {
    const timeval limit{5, 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    connected_ = ::connect(socket_.get(), static_cast<const sockaddr*>(target), size) == 0;
  }
  Socket socket_;
  bool connected_ = false;
};

/// A server in a directory of its own.
class Listening : public ::testing::Test {
 protected:
  Listening() {
    std::string name = "/tmp/hotline-test-XXXXXX";
    directory = ::mkdtemp(name.data());
    path = directory / "socket";
  }
  ~Listening() override {
    stop();
    server.reset();
    fs::remove_all(directory);
    EXPECT_EQ(hotline::testing::open_descriptors(), descriptors_);
  }
  void start(std::vector<std::string> places, unsigned threads = 2) {
    ServerOptions options;
    options.listen = std::move(places);
    options.threads = threads;
    options.handle_signals = false;
    options.logger = std::make_shared<hotline::testing::MemoryLogger>();
    server = std::make_unique<Server>(options);
    server->handle("/who", [](Exchange exchange) -> Task<> {
      const auto who = exchange.request().remote_address().host() + "\n";
      co_await exchange.respond(Status::ok, who);
    });
    server->listen();
    thread_ = std::thread{[this] { status = server->run(); }};
  }
  void join() { thread_.join(); }
  void stop() {
    if (!thread_.joinable()) return;
    server->stop();
    join();
  }

  std::ptrdiff_t descriptors_ = hotline::testing::open_descriptors();
  fs::path directory;
  fs::path path;
  std::unique_ptr<Server> server;
  int status = -1;

 private:
  std::thread thread_;
};

TEST_F(Listening, serves_everywhere_and_says_where) {
  start({"127.0.0.1:0", "unix:" + path.string()});
  EXPECT_NE(server->port(), 0);
  EXPECT_EQ(server->addresses(),
            (std::vector<std::string>{"127.0.0.1:" + std::to_string(server->port()),
                                      "unix:" + path.string()}));
  for (int i = 0; i < 8; ++i) {
    Caller by_tcp{*Address::parse("127.0.0.1", server->port())};
    EXPECT_TRUE(by_tcp.ask("localhost").ends_with("\r\n127.0.0.1\n"));
    Caller by_unix{path};
    EXPECT_TRUE(by_unix.ask("localhost").ends_with("\r\nunix\n"));
  }
}

TEST_F(Listening, answers_to_any_name_but_on_loopback) {
  start({"127.0.0.1:0", "unix:" + path.string()});
  Caller by_tcp{*Address::parse("127.0.0.1", server->port())};
  EXPECT_EQ(by_tcp.ask("example.org").substr(0, 12), "HTTP/1.1 421");
  Caller by_unix{path};
  EXPECT_EQ(by_unix.ask("example.org").substr(0, 12), "HTTP/1.1 200") << "a proxy's, as a rule";
}

TEST_F(Listening, drains_all_its_places) {
  start({"127.0.0.1:0", "127.0.0.1:0", "unix:" + path.string()});
  const auto port = server->port();
  server->drain();
  join();
  EXPECT_EQ(status, 0);
  EXPECT_FALSE(fs::exists(path));
  EXPECT_FALSE(Caller{*Address::parse("127.0.0.1", port)}.connected());
}

TEST_F(Listening, has_no_port_behind_a_unix_socket_only) {
  start({"unix:" + path.string()}, 1);
  EXPECT_EQ(server->port(), 0);
  EXPECT_TRUE(Caller{path}.connected());
}

TEST_F(Listening, says_that_another_server_answers_on_its_unix_socket) {
  start({"unix:" + path.string()}, 1);
  ServerOptions options;
  options.listen = {"127.0.0.1:0", "unix:" + path.string()};
  options.handle_signals = false;
  const auto log = std::make_shared<hotline::testing::MemoryLogger>();
  options.logger = log;
  Server second{options};
  EXPECT_EQ(second.run(), 1);
  ASSERT_EQ(log->lines.size(), 1u);
  EXPECT_NE(log->lines[0].find("unix:" + path.string() + " (another server answers there)"),
            std::string::npos)
      << log->lines[0];
  EXPECT_TRUE(Caller{path}.connected());
  EXPECT_TRUE(second.addresses().empty());
}

}  // namespace
}  // namespace hotline::http
