#pragma once

#include <sys/stat.h>

#include <string>
#include <string_view>

#include "net/socket.h"

namespace hotline {

/// A unix socket of mode 0660 that listens at a path, and the path: removed when this goes, if it
/// is still this socket's.
class UnixSocket {
 public:
  /// A socket that its server left behind is replaced. Throws Error that names the path: where a
  /// server answers (address_in_use), a file of another kind is (file_exists), or the path does not
  /// fit.
  explicit UnixSocket(std::string_view path);
  UnixSocket(const UnixSocket&) = delete;
  UnixSocket& operator=(const UnixSocket&) = delete;
  ~UnixSocket() { remove(); }

  const std::string& path() const noexcept { return path_; }
  const Socket& socket() const noexcept { return socket_; }
  /// Nobody new finds the way; those who have found it are still to be accepted.
  void remove() noexcept;

 private:
  std::string path_;
  Socket socket_;
  struct stat identity_{};
  bool bound_ = false;
};

/// A non-blocking socket that is connected to the one at `path`. Throws Error that names the path;
/// with EAGAIN while the queue there is full.
Socket connect_unix_socket(const std::string& path);

}  // namespace hotline
