// One connection speaks, and all hear it: N receivers, K messages at once. Reports the server's CPU
// time for each message delivered.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "arguments.h"
#include "batch.h"

namespace hotline::bench {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

int dial(std::uint16_t port) {
  const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) fail("socket");
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    fail("connect");
  }
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  const std::string request =
      "GET /feed HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
      std::string(sample_key) + "\r\n\r\n";
  if (::send(socket, request.data(), request.size(), MSG_NOSIGNAL) < 0) fail("send");
  std::string answer;
  while (!answer.ends_with("\r\n\r\n")) {
    char byte = 0;
    if (::recv(socket, &byte, 1, 0) != 1) throw std::runtime_error("no answer to the handshake");
    answer += byte;
  }
  if (!answer.starts_with("HTTP/1.1 101")) throw std::runtime_error("refused: " + answer);
  return socket;
}

// What all threads of the process have run, in ns.
std::uint64_t cpu_time(int pid) {
  std::uint64_t sum = 0;
  for (const auto& task :
       std::filesystem::directory_iterator("/proc/" + std::to_string(pid) + "/task")) {
    std::ifstream schedstat(task.path() / "schedstat");
    std::uint64_t running = 0;
    if (schedstat >> running) sum += running;
  }
  return sum;
}

struct Receiver {
  int socket;
  std::size_t bytes = 0;  // of this round
};

class Fanout {
 public:
  Fanout(std::uint16_t port, std::size_t receivers, std::size_t in_flight, std::size_t size)
      : batch_(make_batch(Payload::binary, size, in_flight, 1)),
        poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    char header[longest_header];
    expected_ = in_flight * (write_header(header, 0, size) + size);
    receivers_.reserve(receivers);
    for (std::size_t i = 0; i < receivers; ++i) {
      auto& receiver = receivers_.emplace_back(Receiver{dial(port)});
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = &receiver;
      if (::epoll_ctl(poll_, EPOLL_CTL_ADD, receiver.socket, &event) != 0) fail("epoll_ctl");
    }
  }

  // A round: the first connection speaks, and it is over when all have heard all of it.
  void round() {
    std::size_t waiting = receivers_.size();
    for (auto& receiver : receivers_) receiver.bytes = 0;
    const auto& wire = batch_.wire;
    if (::send(receivers_.front().socket, wire.data(), wire.size(), MSG_NOSIGNAL) !=
        static_cast<ssize_t>(wire.size())) {
      fail("send");
    }
    const auto begin = Clock::now();
    std::array<epoll_event, 256> events;
    while (waiting > 0) {
      const int count = ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 0);
      for (int i = 0; i < count; ++i) {
        auto& receiver = *static_cast<Receiver*>(events[static_cast<std::size_t>(i)].data.ptr);
        const auto got = ::recv(receiver.socket, buffer_.data(), buffer_.size(), MSG_DONTWAIT);
        if (got <= 0) throw std::runtime_error("a connection has ended");
        receiver.bytes += static_cast<std::size_t>(got);
        if (receiver.bytes > expected_) throw std::runtime_error("more came than was sent");
        if (receiver.bytes == expected_) --waiting;
      }
      if (count == 0 && Clock::now() - begin > std::chrono::seconds(10)) {
        throw std::runtime_error("not all have heard within 10 s");
      }
    }
  }

 private:
  Batch batch_;
  std::size_t expected_ = 0;
  int poll_;
  std::vector<Receiver> receivers_;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
};

void run(Arguments& arguments) {
  const auto port = arguments.number<std::uint16_t>("--port", 0);
  const auto pid = arguments.number<int>("--pid", 0);
  const auto receivers = arguments.number<std::size_t>("--receivers", 1000);
  const auto in_flight = arguments.number<std::size_t>("--in-flight", 1);
  const auto size = arguments.number<std::size_t>("--size", 64);
  const auto seconds = arguments.number<double>("--seconds", 1);
  arguments.finish();
  if (port == 0 || pid == 0 || receivers == 0 || in_flight == 0) {
    throw std::runtime_error("--port and --pid are needed; nothing may be 0");
  }
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);

  Fanout fanout{port, receivers, in_flight, size};
  for (int i = 0; i < 20; ++i) fanout.round();
  const auto before = cpu_time(pid);
  const auto begin = Clock::now();
  std::size_t rounds = 0;
  double elapsed = 0;
  for (; elapsed < seconds; ++rounds) {
    fanout.round();
    elapsed = std::chrono::duration<double>(Clock::now() - begin).count();
  }
  const auto deliveries = static_cast<double>(rounds * receivers * in_flight);
  std::printf("{\"deliveries\": %.0f, \"seconds\": %.3f, \"server_cpu_ns_per_delivery\": %.1f}\n",
              deliveries, elapsed, static_cast<double>(cpu_time(pid) - before) / deliveries);
}

}  // namespace
}  // namespace hotline::bench

int main(int argc, char** argv) {
  try {
    hotline::bench::Arguments arguments(argc, argv);
    hotline::bench::run(arguments);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_fanout_load: %s\n", error.what());
    return 1;
  }
}
