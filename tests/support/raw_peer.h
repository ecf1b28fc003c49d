#pragma once

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>

namespace hotline::testing {

/// A client made of bytes: it has upgraded its connection to a server on loopback, and keeps no
/// rule from then on.
class RawPeer {
 public:
  /// `receive_buffer`: of the system, in bytes; 0: as it is.
  explicit RawPeer(std::uint16_t port, const std::string& path = "/echo", int receive_buffer = 0) {
    if (receive_buffer > 0) {
      ::setsockopt(socket_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (::connect(socket_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
      ::close(socket_);
      throw std::runtime_error("connect");
    }
    send("GET " + path +
         " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n");
    std::string answer;
    for (char byte = 0; !answer.ends_with("\r\n\r\n"); answer += byte) {
      if (receive({&byte, 1}) == 0) {
        ::close(socket_);
        throw std::runtime_error("no answer, but " + answer);
      }
    }
  }
  RawPeer(const RawPeer&) = delete;
  RawPeer& operator=(const RawPeer&) = delete;
  ~RawPeer() { ::close(socket_); }

  /// All of them, unless the connection ends.
  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto count = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (count <= 0) return;
      bytes.remove_prefix(static_cast<std::size_t>(count));
    }
  }
  /// Some bytes: how many; 0 where there will be none, or with MSG_DONTWAIT none yet.
  std::size_t receive(std::span<char> bytes, int flags = 0) {
    const auto count = ::recv(socket_, bytes.data(), bytes.size(), flags);
    return count > 0 ? static_cast<std::size_t>(count) : 0;
  }
  int descriptor() const { return socket_; }

 private:
  int socket_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
};

}  // namespace hotline::testing
