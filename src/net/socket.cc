#include "net/socket.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include <hotline/base/error.h>

namespace hotline {
namespace {

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const Address& address, unsigned zone = 0) {
  SocketAddress result;
  if (address.is_ipv6()) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port());
    in.sin6_scope_id = zone;
    std::memcpy(&in.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  } else {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port());
    std::memcpy(&in.sin_addr, address.bytes().data(), 4);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  }
  return result;
}

Socket open_tcp(const Address& address) {
  Socket socket{::socket(address.is_ipv6() ? AF_INET6 : AF_INET,
                         SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) fail_at("open a socket for", address.to_string());
  return socket;
}

}  // namespace

void fail_at(const char* what, const std::string& place) {
  const auto error = errno;
  std::string context = "cannot ";
  context.append(what).append(" ").append(place);
  if (error == EADDRINUSE) context += " (is another server running there?)";
  throw Error({error, std::system_category()}, context);
}

Socket Socket::duplicate() const {
  Socket copy{::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0)};
  if (!copy) fail_at("duplicate", "a socket");
  return copy;
}

Address local_address(int descriptor) noexcept {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(descriptor, address.get(), &address.size) != 0) return {};
  return Address::from(*address.get());
}

Socket bind_tcp(const Address& address, bool shared) {
  auto socket = open_tcp(address);
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.is_ipv6()) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (shared) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  auto target = socket_address(address);
  if (::bind(socket.get(), target.get(), target.size) != 0) fail_at("bind", address.to_string());
  return socket;
}

Socket begin_connect(const Address& address, unsigned zone) {
  auto socket = open_tcp(address);
  const int on = 1;
  ::setsockopt(socket.get(), IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  auto target = socket_address(address, zone);
  // A connect that a signal interrupts goes on.
  if (::connect(socket.get(), target.get(), target.size) != 0 && errno != EINPROGRESS &&
      errno != EINTR) {
    const bool zoneless = errno == EINVAL && address.is_ipv6() && zone == 0;
    fail_at("connect to", address.to_string() + (zoneless ? " without its zone (%eth0)" : ""));
  }
  return socket;
}

}  // namespace hotline
