#include "net/systemd_sockets.h"

#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <charconv>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include <hotline/base/error.h>

namespace hotline {
namespace {

constexpr int first_descriptor = 3;  // SD_LISTEN_FDS_START
constexpr int most_descriptors = 1024;

std::optional<int> number_in(const char* name) {
  const char* value = std::getenv(name);
  if (!value) return std::nullopt;
  const std::string_view text{value};
  int number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

int option_of(const Socket& socket, int name) {
  int value = -1;
  socklen_t size = sizeof value;
  return ::getsockopt(socket.get(), SOL_SOCKET, name, &value, &size) == 0 ? value : -1;
}

// The path that a unix socket is bound to; "@name" of an abstract one.
std::string path_of(const Socket& socket) {
  sockaddr_un address{};
  socklen_t size = sizeof address;
  if (::getsockname(socket.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0) return {};
  std::string path{address.sun_path, size - offsetof(sockaddr_un, sun_path)};
  if (path.starts_with('\0')) {
    path[0] = '@';
    return path;
  }
  return path.c_str();
}

}  // namespace

PassedSocket look_at_socket(Socket socket, int number) {
  PassedSocket result{std::move(socket), {}, {}};
  const auto demand = [number](bool good, const char* complaint) {
    if (good) return;
    throw Error(Fault::bad_option,
                "listen: descriptor " + std::to_string(number) + " from systemd " + complaint);
  };
  demand(option_of(result.socket, SO_TYPE) == SOCK_STREAM, "is no stream socket");
  demand(option_of(result.socket, SO_ACCEPTCONN) == 1, "does not listen (is Accept=yes set?)");
  result.address = local_address(result.socket.get());
  demand(!result.address.empty(), "is neither of IP nor of unix");
  result.name =
      result.address.is_unix() ? "unix:" + path_of(result.socket) : result.address.to_string();
  const int flags = ::fcntl(result.socket.get(), F_GETFL);
  demand(flags >= 0 && ::fcntl(result.socket.get(), F_SETFL, flags | O_NONBLOCK) == 0,
         "cannot be made non-blocking");
  return result;
}

std::vector<PassedSocket> systemd_sockets() {
  const auto count = number_in("LISTEN_FDS").value_or(0);
  if (number_in("LISTEN_PID") != ::getpid() || count < 1 || count > most_descriptors) {
    throw Error(Fault::bad_option,
                "listen: systemd has passed no sockets to this process (LISTEN_PID, LISTEN_FDS)");
  }
  std::vector<PassedSocket> sockets;
  for (int number = first_descriptor; number < first_descriptor + count; ++number) {
    // Above them all: a number that is missing must not be found as a duplicate of another.
    Socket socket{::fcntl(number, F_DUPFD_CLOEXEC, first_descriptor + count)};
    if (!socket) fail_at("take", "descriptor " + std::to_string(number) + " from systemd");
    ::fcntl(number, F_SETFD, FD_CLOEXEC);
    sockets.push_back(look_at_socket(std::move(socket), number));
  }
  return sockets;
}

}  // namespace hotline
