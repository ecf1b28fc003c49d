#include "net/unix_socket.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>

#include <hotline/base/error.h>

namespace hotline {
namespace {

bool same_file(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

std::string shown(const std::string& path) { return "unix:" + escaped(path); }

sockaddr_un address_of(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  path.copy(address.sun_path, sizeof address.sun_path - 1);
  return address;
}

int call(int (*function)(int, const sockaddr*, socklen_t), const Socket& socket,
         const std::string& path) {
  const auto address = address_of(path);
  return function(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address);
}

Socket open(const std::string& path) {
  Socket socket{::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!socket) fail_at("open a socket for", shown(path));
  return socket;
}

[[noreturn]] void refuse(std::errc code, const std::string& path, const char* why) {
  throw Error(std::make_error_code(code), "cannot bind " + shown(path) + " (" + why + ")");
}

// Whoever answers lives; so does one whose queue is full.
void remove_stale(const std::string& path) {
  struct stat before{};
  if (::lstat(path.c_str(), &before) != 0) {
    if (errno == ENOENT) return;
    fail_at("look at", shown(path));
  }
  if (!S_ISSOCK(before.st_mode)) {
    refuse(std::errc::file_exists, path, "there is a file that is no socket");
  }
  const auto probe = open(path);
  if (call(::connect, probe, path) == 0 || errno == EAGAIN || errno == EINPROGRESS) {
    refuse(std::errc::address_in_use, path, "another server answers there");
  }
  if (errno == ENOENT) return;
  if (errno != ECONNREFUSED) fail_at("tell whether a server answers at", shown(path));
  struct stat now{};
  if (::lstat(path.c_str(), &now) == 0 && same_file(before, now)) ::unlink(path.c_str());
}

void check(const std::string& path, const char* where) {
  constexpr auto longest = sizeof(sockaddr_un::sun_path) - 1;
  if (!path.empty() && path.size() <= longest && path.find('\0') == std::string::npos) return;
  throw Error(Fault::bad_option, where + (": \"" + shown(path)) + "\": a path has from 1 to " +
                                     std::to_string(longest) + " bytes");
}

}  // namespace

UnixSocket::UnixSocket(std::string_view path) : path_(path) {
  check(path_, "listen");
  socket_ = open(path_);
  if (call(::bind, socket_, path_) != 0) {
    if (errno != EADDRINUSE) fail_at("bind", shown(path_));
    remove_stale(path_);
    if (call(::bind, socket_, path_) != 0) fail_at("bind", shown(path_));
  }
  bound_ = ::lstat(path_.c_str(), &identity_) == 0;
  // Before it listens: nobody can have connected by the mode that umask left.
  if (::chmod(path_.c_str(), 0660) != 0 || ::listen(socket_.get(), 4096) != 0) {
    const auto error = errno;
    remove();
    errno = error;
    fail_at("listen on", shown(path_));
  }
}

void UnixSocket::remove() noexcept {
  struct stat now{};
  if (!std::exchange(bound_, false)) return;
  if (::lstat(path_.c_str(), &now) == 0 && same_file(identity_, now)) ::unlink(path_.c_str());
}

Socket connect_unix_socket(const std::string& path) {
  check(path, "connect");
  auto socket = open(path);
  if (call(::connect, socket, path) != 0) fail_at("connect to", shown(path));
  return socket;
}

}  // namespace hotline
