#include <hotline/http/server.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <atomic>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/base/error.h>

#include "support/descriptors.h"

namespace hotline::http {
namespace {

using hotline::testing::open_descriptors;
using namespace std::chrono_literals;

class LineLogger final : public Logger {
 public:
  bool enabled(LogLevel level) const noexcept override { return level >= LogLevel::warning; }
  void write(LogLevel, std::string_view line) noexcept override {
    const std::scoped_lock lock{mutex_};
    text_.append(line).append("\n");
  }
  std::string text() const {
    const std::scoped_lock lock{mutex_};
    return text_;
  }

 private:
  mutable std::mutex mutex_;
  std::string text_;
};

// A blocking client that gives up after 5 s.
class Socket {
 public:
  explicit Socket(std::uint16_t port) : descriptor_(::socket(AF_INET, SOCK_STREAM, 0)) {
    const timeval limit{5, 0};
    ::setsockopt(descriptor_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(descriptor_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() { close(); }
  void close() {
    if (descriptor_ >= 0) ::close(std::exchange(descriptor_, -1));
  }

  bool connected() const { return connected_; }
  void send(std::string_view bytes) {
    EXPECT_EQ(::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL), std::ssize(bytes));
  }
  // Up to and including `end`, or to the connection's end.
  std::string receive_to(std::string_view end) {
    std::string bytes;
    char byte = 0;
    while (!bytes.ends_with(end) && ::recv(descriptor_, &byte, 1, 0) == 1) bytes += byte;
    return bytes;
  }
  std::string receive_to_the_end() {
    std::string bytes;
    char buffer[4096];
    for (;;) {
      const auto count = ::recv(descriptor_, buffer, sizeof buffer, 0);
      if (count <= 0) return count == 0 ? bytes : bytes + "(no orderly end)";
      bytes.append(buffer, static_cast<std::size_t>(count));
    }
  }

 private:
  int descriptor_;
  bool connected_ = false;
};

// A server on a free port, and the thread that runs it.
class RunningServer {
 public:
  explicit RunningServer(unsigned threads = 1, std::chrono::milliseconds drain_timeout = 10s)
      : server_({.port = 0,
                 .threads = threads,
                 .drain_timeout = drain_timeout,
                 .handle_signals = false,
                 .logger = log}) {
    server_.handle(
        "/ok", [](Exchange exchange) -> Task<> { co_await exchange.respond(Status::ok, "ok\n"); });
    server_.handle("/slow", [this](Exchange exchange) -> Task<> {
      started = true;
      Never never;
      co_await never;
      co_await exchange.respond(Status::ok, "slow\n");
    });
    server_.handle("/cut", [](Exchange exchange) -> Task<> {
      const Response response{Status::ok};
      auto stream = exchange.start(response);
      co_await stream.write("half");
    });
    server_.handle("/raw", [](Exchange exchange) -> Task<> {
      auto stream = co_await exchange.hijack();
      char buffer[100];
      for (;;) {
        std::size_t count = 0;
        try {
          count = co_await stream.read_some(buffer);
        } catch (const Cancelled&) {
          continue;  // it stays in a drain as long as its client does
        }
        if (count == 0) co_return;
        const std::string_view bytes{buffer, count};
        co_await stream.write(bytes);
      }
    });
    server_.listen();
    thread_ = std::thread{[this] { status = server_.run(); }};
  }
  ~RunningServer() {
    if (thread_.joinable()) {
      server_.stop();
      thread_.join();
    }
  }
  Server& operator*() { return server_; }
  std::uint16_t port() const { return server_.port(); }
  void join() { thread_.join(); }
  void wait_until_started() const {
    while (!started) std::this_thread::yield();
  }

  std::shared_ptr<LineLogger> log = std::make_shared<LineLogger>();
  std::atomic<bool> started = false;
  int status = -1;

 private:
  struct Never : std::suspend_always {};

  Server server_;
  std::thread thread_;
};

const std::string ask = "GET /ok HTTP/1.1\r\nHost: localhost\r\n\r\n";
const std::string ask_last = "GET /ok HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

TEST(Server, answers_over_sockets_and_keeps_them) {
  const auto descriptors = open_descriptors();
  {
    RunningServer server{2};
    for (int i = 0; i < 8; ++i) {
      Socket socket{server.port()};
      for (int j = 0; j < 3; ++j) {
        socket.send(ask);
        EXPECT_EQ(socket.receive_to("ok\n").substr(0, 15), "HTTP/1.1 200 OK");
      }
      socket.send(ask + ask + ask_last);
      const auto answers = socket.receive_to_the_end();
      EXPECT_EQ(std::count(answers.begin(), answers.end(), 'k'), 3) << answers;
      EXPECT_EQ(answers.find("no orderly end"), std::string::npos);
    }
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(Server, gives_the_whole_refusal_to_a_client_that_is_still_sending) {
  RunningServer server;
  Socket socket{server.port()};
  socket.send("GET / HTTP/1.1\n" + std::string(200'000, 'x'));
  const auto answer = socket.receive_to_the_end();
  EXPECT_TRUE(answer.ends_with("400 Bad Request: a line feed without a carriage return\n"))
      << answer;
}

TEST(Server, resets_an_answer_that_is_cut_where_its_end_would_look_like_the_whole) {
  RunningServer server;
  Socket older{server.port()};
  older.send("GET /cut HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(older.receive_to_the_end().ends_with("(no orderly end)"));
  Socket newer{server.port()};
  newer.send("GET /cut HTTP/1.1\r\nHost: localhost\r\n\r\n");
  EXPECT_TRUE(newer.receive_to_the_end().ends_with("4\r\nhalf\r\n")) << "the last chunk is missing";
}

TEST(Server, has_its_routes_and_its_middleware_fixed_while_it_runs) {
  RunningServer server;
  Socket socket{server.port()};
  socket.send(ask_last);
  socket.receive_to_the_end();
  EXPECT_THROW((*server).handle("/new", [](Exchange) -> Task<> { return {}; }), Error);
  EXPECT_THROW((*server).use([](Exchange, const Handler&) -> Task<> { return {}; }), Error);
}

TEST(Server, says_that_its_port_is_taken) {
  RunningServer first;
  auto log = std::make_shared<LineLogger>();
  Server second{{.port = first.port(), .handle_signals = false, .logger = log}};
  EXPECT_EQ(second.run(), 1);
  EXPECT_NE(log->text().find("127.0.0.1:" + std::to_string(first.port())), std::string::npos)
      << log->text();
  EXPECT_THROW(second.listen(), Error);
}

TEST(Server, reports_options_that_cannot_be) {
  const auto complaint = [](ServerOptions options) {
    options.port = 0;
    options.handle_signals = false;
    options.logger = std::make_shared<LineLogger>();
    Server server{options};
    server.drain();  // so that run() returns where nothing is found
    EXPECT_EQ(server.run(), 1);
    return static_cast<LineLogger&>(*options.logger).text();
  };
  EXPECT_NE(complaint({.address = "localhost"}).find("\"localhost\""), std::string::npos);
  EXPECT_NE(complaint({.threads = 0}).find("threads"), std::string::npos);
  EXPECT_NE(complaint({.threads = 5000}).find("threads"), std::string::npos);
  EXPECT_NE(complaint({.header_bytes = 0}).find("header_bytes"), std::string::npos);
  EXPECT_NE(complaint({.header_count = 0}).find("header_count"), std::string::npos);
  EXPECT_NE(complaint({.head_timeout = 0s}).find("head_timeout"), std::string::npos);
  EXPECT_NE(complaint({.idle_timeout = 0s}).find("idle_timeout"), std::string::npos);
  EXPECT_NE(complaint({.idle_timeout = std::chrono::milliseconds::max()}).find("idle_timeout"),
            std::string::npos);
  EXPECT_NE(complaint({.body_limit = 0}).find("body_limit"), std::string::npos);
  EXPECT_NE(complaint({.body_timeout = 0s}).find("body_timeout"), std::string::npos);
  EXPECT_NE(complaint({.body_rate = 0}).find("body_rate"), std::string::npos);
  EXPECT_NE(complaint({.max_connections = 0}).find("max_connections"), std::string::npos);
  EXPECT_NE(complaint({.max_connections_per_address = 0}).find("max_connections_per_address"),
            std::string::npos);
  EXPECT_NE(complaint({.connection_rate = 0}).find("connection_rate"), std::string::npos);
  EXPECT_NE(complaint({.connection_burst = 0}).find("connection_burst"), std::string::npos);
  EXPECT_NE(complaint({.proxy_protocol = true}).find("trusted_proxies"), std::string::npos);
  EXPECT_NE(complaint({.retry_after = -1s}).find("retry_after"), std::string::npos);
  EXPECT_NE(complaint({.drain_timeout = 0s}).find("drain_timeout"), std::string::npos);
  EXPECT_NE(complaint({.drain_timeout = 2s, .drain_jitter = 2s}).find("drain_jitter"),
            std::string::npos);
  EXPECT_NE(complaint({.drain_jitter = -1s}).find("drain_jitter"), std::string::npos);
}

TEST(Server, drains_to_its_end) {
  const auto descriptors = open_descriptors();
  for (const unsigned threads : {1u, 3u}) {
    RunningServer server{threads};
    Socket idle{server.port()};
    idle.send(ask);
    idle.receive_to("ok\n");
    Socket raw{server.port()};
    raw.send("GET /raw HTTP/1.1\r\nHost: localhost\r\n\r\nraw");
    EXPECT_EQ(raw.receive_to("raw"), "raw");
    (*server).drain();
    (*server).drain();
    EXPECT_EQ(idle.receive_to_the_end(), "");
    raw.send("still here");
    EXPECT_EQ(raw.receive_to("here"), "still here");
    if (threads == 1) {
      EXPECT_FALSE(Socket{server.port()}.connected());
    }
    raw.close();
    server.join();
    EXPECT_EQ(server.status, 0);
    EXPECT_EQ(server.log->text(), "");
    idle.close();
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(Server, answers_requests_that_were_queued_when_the_drain_began) {
  Server server{{.port = 0, .handle_signals = false}};
  server.handle("/ok",
                [](Exchange exchange) -> Task<> { co_await exchange.respond(Status::ok, "ok\n"); });
  server.listen();
  Socket early{server.port()};
  early.send(ask);
  server.drain();
  std::thread closing{[&] {
    const auto answer = early.receive_to_the_end();
    EXPECT_TRUE(answer.ends_with("ok\n")) << answer;
    EXPECT_NE(answer.find("Connection: close"), std::string::npos);
    early.close();
  }};
  EXPECT_EQ(server.run(), 0);
  closing.join();
}

TEST(Server, cuts_off_what_a_drain_leaves_in_its_time) {
  const auto descriptors = open_descriptors();
  {
    RunningServer server{2, 50ms};
    Socket socket{server.port()};
    socket.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n");
    server.wait_until_started();
    (*server).drain();
    EXPECT_EQ(socket.receive_to_the_end(), "");
    server.join();
    EXPECT_EQ(server.status, 0);
    EXPECT_NE(server.log->text().find("the drain took too long"), std::string::npos);
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(Server, stops_at_once_and_leaves_nothing) {
  const auto descriptors = open_descriptors();
  for (const unsigned threads : {1u, 3u}) {
    RunningServer server{threads};
    Socket slow{server.port()};
    slow.send("GET /slow HTTP/1.1\r\nHost: localhost\r\n\r\n" + ask);
    Socket idle{server.port()};
    Socket raw{server.port()};
    raw.send("GET /raw HTTP/1.1\r\nHost: localhost\r\n\r\nraw");
    EXPECT_EQ(raw.receive_to("raw"), "raw");
    Socket refused{server.port()};
    refused.send("\n");
    EXPECT_NE(refused.receive_to_the_end(), "");
    server.wait_until_started();
    (*server).stop();
    server.join();
    EXPECT_EQ(server.status, 0);
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(Server, ends_each_handler_on_the_thread_that_ran_it) {
  struct Witness {
    explicit Witness(std::atomic<int>& good_endings) : endings(good_endings) {}
    ~Witness() {
      if (std::this_thread::get_id() == thread) ++endings;
    }
    std::atomic<int>& endings;
    std::thread::id thread = std::this_thread::get_id();
  };
  std::atomic<int> begun = 0;
  std::atomic<int> endings = 0;
  Server server{{.port = 0, .threads = 3, .handle_signals = false}};
  server.handle("/", [&](Exchange exchange) -> Task<> {
    const Witness witness{endings};
    auto stream = co_await exchange.hijack();
    ++begun;
    char buffer[100];
    while (co_await stream.read_some(buffer) != 0) {
    }
  });
  server.listen();
  std::thread thread{[&] { server.run(); }};
  std::vector<std::unique_ptr<Socket>> sockets;
  for (int i = 0; i < 16; ++i) {
    sockets.push_back(std::make_unique<Socket>(server.port()));
    sockets.back()->send("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
  }
  while (begun < 16) std::this_thread::yield();
  server.stop();
  thread.join();
  EXPECT_EQ(endings, 16);
}

TEST(Server, may_be_destroyed_without_having_run) {
  const auto descriptors = open_descriptors();
  {
    Server server{{.port = 0, .handle_signals = false}};
    server.handle("/", [](Exchange) -> Task<> { return {}; });
    server.listen();
    EXPECT_NE(server.port(), 0);
    const Socket waiting{server.port()};
    EXPECT_TRUE(waiting.connected());
  }
  {
    Server server{{.port = 0, .handle_signals = false}};
    server.stop();
    EXPECT_EQ(server.run(), 0);
  }
  EXPECT_EQ(open_descriptors(), descriptors);
}

TEST(Server, drains_at_the_first_signal_and_ends_at_the_second) {
  for (const int signals : {1, 2}) {
    Server server{{.port = 0, .logger = std::make_shared<LineLogger>()}};
    server.handle(
        "/ok", [](Exchange exchange) -> Task<> { co_await exchange.respond(Status::ok, "ok\n"); });
    server.handle("/raw", [](Exchange exchange) -> Task<> {
      auto stream = co_await exchange.hijack();
      char buffer[100];
      std::string_view farewell = "nothing was heard of a drain\n";
      try {
        co_await stream.read_some(buffer);
      } catch (const Cancelled&) {
        farewell = "going away\n";
      }
      co_await stream.write(farewell);
      co_await stream.read_some(buffer);
    });
    server.listen();
    int status = -1;
    std::thread thread{[&] { status = server.run(); }};
    Socket idle{server.port()};
    idle.send(ask);
    EXPECT_NE(idle.receive_to("ok\n"), "");  // so it runs, and has its handlers of signals
    Socket raw{server.port()};
    raw.send("GET /raw HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ::kill(::getpid(), SIGTERM);
    EXPECT_EQ(idle.receive_to_the_end(), "");
    EXPECT_EQ(raw.receive_to("\n"), "going away\n");
    if (signals == 1) {
      raw.close();
    } else {
      ::kill(::getpid(), SIGINT);
      EXPECT_EQ(raw.receive_to_the_end(), "");
    }
    thread.join();
    EXPECT_EQ(status, 0);
  }
}

}  // namespace
}  // namespace hotline::http
