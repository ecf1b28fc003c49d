// What ServerOptions::listen means.
#include <sys/socket.h>
#include <sys/un.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/base/error.h>

#include "net/listener.h"
#include "net/net_fixture.h"

namespace hotline {
namespace {

namespace fs = std::filesystem;

/// Two loops that listen where a test says, run by the test's own thread.
class ListenOn : public ::testing::Test {
 protected:
  ListenOn() {
    std::string name = "/tmp/hotline-test-XXXXXX";
    directory = ::mkdtemp(name.data());
    place = "unix:" + (directory / "socket").string();
  }
  ~ListenOn() override {
    callers.clear();
    streams.clear();
    listeners.clear();
    loops.reset();
    fs::remove_all(directory);
    EXPECT_EQ(open_descriptors(), descriptors_);
  }

  void listen(const std::vector<std::string>& places) {
    listeners =
        listen_on(*loops, places, [this](Loop& loop, StreamPointer stream, const Listener& by) {
          accepted_by.insert(&loop);
          accepted_at.insert(by.name());
          streams.push_back(std::move(stream));
        });
    for (auto& listener : listeners) {
      for (std::size_t i = 0; i < loops->size(); ++i) listener->start(i);
    }
  }
  std::string complaint(const std::string& where) {
    try {
      listen({where});
    } catch (const Error& error) {
      return error.what();
    }
    return "";
  }
  bool call(const std::string& path) {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    return call(AF_UNIX, reinterpret_cast<const sockaddr*>(&address), sizeof address);
  }
  bool call(int family, const sockaddr* address, socklen_t size) {
    callers.emplace_back(::socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0));
    return ::connect(callers.back().get(), address, size) == 0;
  }
  void settle() {
    for (auto& loop : *loops) loop->run_ready();
  }

  std::ptrdiff_t descriptors_ = open_descriptors();
  fs::path directory;
  std::string place;
  std::unique_ptr<LoopGroup> loops = std::make_unique<LoopGroup>(2, LoopOptions{});
  std::vector<std::unique_ptr<Listener>> listeners;
  std::set<Loop*> accepted_by;
  std::set<std::string> accepted_at;
  std::vector<StreamPointer> streams;
  std::vector<Socket> callers;
};

TEST_F(ListenOn, says_what_it_does_not_understand) {
  for (const char* bad : {"",
                          "localhost",
                          "127.0.0.1",
                          "127.0.0.1:",
                          "127.0.0.1:x",
                          "127.0.0.1:65536",
                          "127.0.0.1:-1",
                          "127.0.0.1:80 ",
                          "::1:80",
                          "::1",
                          "[::1]",
                          "[127.0.0.1]:80",
                          "[localhost]:80",
                          "[]:80",
                          ":80",
                          "*:80",
                          "example.org:80",
                          "1.2.3:80",
                          "Systemd",
                          "systemd:",
                          "unix:",
                          "a\nb:80"}) {
    const auto text = complaint(bad);
    EXPECT_NE(text.find("listen: \""), std::string::npos) << bad << ": " << text;
    EXPECT_EQ(text.find('\n'), std::string::npos);
    EXPECT_TRUE(listeners.empty());
  }
  EXPECT_NE(complaint("systemd").find("has passed no sockets"), std::string::npos);
}

TEST_F(ListenOn, has_several_places) {
  listen({"127.0.0.1:0", "127.0.0.1:0", place});
  ASSERT_EQ(listeners.size(), 3u);
  EXPECT_EQ(listeners[0]->name(), "127.0.0.1:" + std::to_string(listeners[0]->port()));
  EXPECT_NE(listeners[0]->port(), listeners[1]->port());
  EXPECT_EQ(listeners[2]->name(), place);
  EXPECT_EQ(listeners[2]->port(), 0);
  EXPECT_TRUE(listeners[2]->address().is_unix());
}

TEST_F(ListenOn, has_both_loopback_addresses_by_the_name_of_localhost) {
  listen({"localhost:0"});
  ASSERT_EQ(listeners.size(), has_ipv6() ? 2u : 1u);
  EXPECT_EQ(listeners[0]->address().host(), "127.0.0.1");
  const auto port = listeners[0]->port();
  EXPECT_NE(port, 0);
  if (listeners.size() == 1) GTEST_SKIP() << "no IPv6 here";
  EXPECT_EQ(listeners[1]->name(), "[::1]:" + std::to_string(port));
  LoopGroup others{1, {}};
  EXPECT_THROW(listen_on(others, {"localhost:" + std::to_string(port)}, {}), Error);
  listeners.erase(listeners.begin());
  EXPECT_THROW(listen_on(others, {"localhost:" + std::to_string(port)}, {}), Error)
      << "one of the two is taken";
  EXPECT_EQ(listen_on(others, {"127.0.0.1:" + std::to_string(port)}, {}).size(), 1u)
      << "and the other is free again";
}

TEST_F(ListenOn, leaves_a_port_of_the_other_family_to_others) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  listen({"[::]:0"});
  const auto port = std::to_string(listeners[0]->port());
  LoopGroup others{1, {}};
  EXPECT_EQ(listen_on(others, {"0.0.0.0:" + port}, {}).size(), 1u);
}

TEST_F(ListenOn, listens_nowhere_if_one_place_fails) {
  EXPECT_NE(complaint("unix:" + (directory / "missing" / "socket").string()), "");
  try {
    listen({place, "127.0.0.1:0", "nonsense"});
    FAIL();
  } catch (const Error&) {
  }
  EXPECT_FALSE(fs::exists(directory / "socket"));
}

TEST_F(ListenOn, accepts_from_a_unix_socket_on_all_loops) {
  listen({place});
  for (int round = 0; round < 64; ++round) {
    EXPECT_TRUE(call(directory / "socket"));
    (*loops)[static_cast<std::size_t>(round % 2)].run_ready();
  }
  settle();
  ASSERT_EQ(streams.size(), 64u);
  EXPECT_EQ(accepted_by.size(), 2u);
  EXPECT_EQ(accepted_at, std::set<std::string>{place});
  EXPECT_EQ(streams[0]->remote_address(), Address::unix_socket());
  EXPECT_EQ(streams[0]->local_address(), Address::unix_socket());
}

TEST_F(ListenOn, drains_a_unix_socket) {
  listen({place});
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(call(directory / "socket"));
  {
    Turn turn{(*loops)[0]};
    listeners[0]->drain(0);
  }
  EXPECT_EQ(streams.size(), 10u);
  EXPECT_FALSE(fs::exists(directory / "socket"));
  EXPECT_FALSE(call(directory / "socket"));
  Turn turn{(*loops)[1]};
  listeners[0]->drain(1);
}

TEST_F(ListenOn, accepts_from_a_socket_that_was_passed) {
  auto socket = bind_tcp(*Address::parse("127.0.0.1", 0), false);
  ASSERT_EQ(::listen(socket.get(), 16), 0);
  const auto original = socket.duplicate();
  const auto address = local_address(socket.get());
  listeners.push_back(
      std::make_unique<Listener>(*loops, look_at_socket(std::move(socket), 3),
                                 [this](Loop& loop, StreamPointer stream, const Listener&) {
                                   accepted_by.insert(&loop);
                                   streams.push_back(std::move(stream));
                                 }));
  for (std::size_t i = 0; i < 2; ++i) listeners[0]->start(i);
  EXPECT_EQ(listeners[0]->name(), address.to_string());
  for (std::size_t round = 0; round < 8; ++round) {
    sockaddr_storage target{};
    socklen_t size = sizeof target;
    ::getsockname(original.get(), reinterpret_cast<sockaddr*>(&target), &size);
    EXPECT_TRUE(call(AF_INET, reinterpret_cast<const sockaddr*>(&target), size));
    (*loops)[round % 2].run_ready();
  }
  settle();
  EXPECT_EQ(streams.size(), 8u);
  EXPECT_EQ(accepted_by.size(), 2u);
  EXPECT_EQ(streams[0]->local_address(), address);
}

TEST(PassedSocket, does_not_spin_when_it_has_been_shut_down) {
  VirtualClock clock;
  LoopOptions options;
  const auto logger = std::make_shared<MemoryLogger>();
  options.logger = logger;
  options.clock = &clock;
  LoopGroup loops{1, options};
  auto socket = bind_tcp(*Address::parse("127.0.0.1", 0), false);
  ASSERT_EQ(::listen(socket.get(), 16), 0);
  const auto original = socket.duplicate();
  Listener listener{loops, look_at_socket(std::move(socket), 3), {}};
  listener.start(0);
  ASSERT_EQ(::shutdown(original.get(), SHUT_RD), 0);
  loops[0].run_ready();  // it returns
  ASSERT_EQ(logger->lines.size(), 1u);
  EXPECT_NE(logger->lines[0].find("shut it down"), std::string::npos) << logger->lines[0];
  EXPECT_EQ(loops[0].next_deadline(), TimePoint{} + 100ms);
}

}  // namespace
}  // namespace hotline
