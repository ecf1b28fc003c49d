#pragma once

#include <string>
#include <vector>

#include "net/socket.h"

namespace hotline {

/// A socket that somebody else has opened, and that listens.
struct PassedSocket {
  Socket socket;
  Address address;
  std::string name;  // "127.0.0.1:8080" or "unix:/path"
};

/// Duplicates of the sockets that the service manager passed to this process (sd_listen_fds(3)),
/// all of them; the environment and the descriptors stay as they are, but for close-on-exec. They
/// are non-blocking afterwards. Throws Error where there are none, or one that does not listen for
/// streams over IP or unix.
std::vector<PassedSocket> systemd_sockets();

/// What a descriptor listens on. Throws Error as above; `number` is what it is called there.
PassedSocket look_at_socket(Socket socket, int number);

}  // namespace hotline
