#include "tools/service.h"

#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <mutex>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hotline::tools {
namespace {

/// A service manager's socket, and the environment that names it.
class Manager {
 public:
  explicit Manager(const char* watchdog_microseconds) {
    const auto name = "@hotline-service-test-" + std::to_string(::getpid());
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    name.copy(address.sun_path, sizeof address.sun_path);
    address.sun_path[0] = '\0';
    const auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    EXPECT_EQ(::bind(descriptor_, reinterpret_cast<sockaddr*>(&address), size), 0);
    ::setenv("NOTIFY_SOCKET", name.c_str(), 1);
    ::setenv("WATCHDOG_USEC", watchdog_microseconds, 1);
  }
  Manager(const Manager&) = delete;
  Manager& operator=(const Manager&) = delete;
  ~Manager() {
    ::close(descriptor_);
    ::unsetenv("NOTIFY_SOCKET");
    ::unsetenv("WATCHDOG_USEC");
  }

  /// What comes within that time, or "".
  std::string hear(int milliseconds) {
    pollfd wanted{descriptor_, POLLIN, 0};
    if (::poll(&wanted, 1, milliseconds) <= 0) return "";
    char buffer[256];
    const auto size = ::recv(descriptor_, buffer, sizeof buffer, 0);
    return size > 0 ? std::string(buffer, static_cast<std::size_t>(size)) : "";
  }

 private:
  int descriptor_ = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
};

constexpr int patience = 10'000;

TEST(ServiceManager, hears_what_it_is_told) {
  Manager manager{"0"};
  const auto service = ServiceManager::from_environment();
  EXPECT_TRUE(service.listens());
  EXPECT_EQ(service.watchdog().count(), 0);
  service.tell("READY=1\nSTATUS=well");
  EXPECT_EQ(manager.hear(patience), "READY=1\nSTATUS=well");
}

TEST(ServiceManager, that_is_not_there_is_told_nothing) {
  ::unsetenv("NOTIFY_SOCKET");
  const auto service = ServiceManager::from_environment();
  EXPECT_FALSE(service.listens());
  service.tell("READY=1");
}

// The loops of this test answer when it wants them to.
TEST(Watchdog, is_fed_only_when_all_loops_have_come_round) {
  Manager manager{"3000"};
  const auto service = ServiceManager::from_environment();
  std::mutex mutex;
  std::vector<std::function<void()>> asked;
  const auto answer = [&] {
    const std::scoped_lock lock{mutex};
    asked.at(asked.size() - 1)();
  };
  const Watchdog watchdog{service, 2, [&](std::function<void()> function) {
                            const std::scoped_lock lock{mutex};
                            asked.push_back(std::move(function));
                          }};
  EXPECT_EQ(manager.hear(60), "") << "nobody has answered";
  answer();
  EXPECT_EQ(manager.hear(60), "") << "one of two has answered";
  {
    const std::scoped_lock lock{mutex};
    EXPECT_EQ(asked.size(), 1u) << "it does not ask again before that";
  }
  answer();
  EXPECT_EQ(manager.hear(patience), "WATCHDOG=1");
}

}  // namespace
}  // namespace hotline::tools
