#include "tools/service.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <utility>

#include "tools/units.h"

namespace hotline::tools {
namespace {

std::string_view environment(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

ServiceManager ServiceManager::from_environment() {
  ServiceManager manager;
  const auto socket = environment("NOTIFY_SOCKET");
  const bool usable = socket.starts_with('/') || socket.starts_with('@');
  if (!usable || socket.size() < 2 || socket.size() > sizeof(sockaddr_un::sun_path) - 1) {
    return manager;
  }
  manager.socket_ = socket;
  const auto process = parse_count(environment("WATCHDOG_PID"));
  if (!process || *process == static_cast<std::uint64_t>(::getpid())) {
    const auto period = parse_count(environment("WATCHDOG_USEC")).value_or(0);
    manager.watchdog_ = std::chrono::microseconds(std::min<std::uint64_t>(period, 1ull << 50));
  }
  return manager;
}

void ServiceManager::tell(std::string_view state) const noexcept {
  if (socket_.empty()) return;
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  std::memcpy(address.sun_path, socket_.data(), socket_.size());
  auto size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + socket_.size());
  if (socket_[0] == '@') {
    address.sun_path[0] = '\0';
  } else {
    ++size;  // the path's end
  }
  const int descriptor = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return;
  // A manager that takes no more will hear the next one.
  [[maybe_unused]] const auto sent =
      ::sendto(descriptor, state.data(), state.size(), MSG_NOSIGNAL | MSG_DONTWAIT,
               reinterpret_cast<const sockaddr*>(&address), size);
  ::close(descriptor);
}

Watchdog::Watchdog(const ServiceManager& manager, std::size_t loops, Visit visit)
    : manager_(manager), loops_(loops), visit_(std::move(visit)) {
  if (manager_.listens() && manager_.watchdog().count() > 0) {
    thread_ = std::jthread([this](const std::stop_token& stop) { watch(stop); });
  }
}

void Watchdog::watch(const std::stop_token& stop) {
  const auto period = manager_.watchdog() / 3;
  auto answers = std::make_shared<std::atomic<std::size_t>>(0);
  const auto ask = [&] {
    answers = std::make_shared<std::atomic<std::size_t>>(0);
    visit_([answers] { ++*answers; });
  };
  ask();
  std::unique_lock lock{mutex_};
  while (!wake_.wait_for(lock, stop, period, [&] { return stop.stop_requested(); })) {
    if (*answers < loops_) continue;  // those that come late are waited for
    manager_.tell("WATCHDOG=1");
    ask();
  }
}

}  // namespace hotline::tools
