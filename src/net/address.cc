#include <hotline/net/address.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace hotline {

Address Address::from(const sockaddr& address) noexcept {
  Address result;
  if (address.sa_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &address, sizeof in);
    std::memcpy(result.bytes_.data(), &in.sin_addr, 4);
    result.size_ = 4;
    result.port_ = ntohs(in.sin_port);
  } else if (address.sa_family == AF_INET6) {
    sockaddr_in6 in{};
    std::memcpy(&in, &address, sizeof in);
    std::memcpy(result.bytes_.data(), &in.sin6_addr, 16);
    result.size_ = 16;
    result.port_ = ntohs(in.sin6_port);
  } else if (address.sa_family == AF_UNIX) {
    result.unix_ = true;
  }
  return result;
}

Address Address::from_bytes(std::string_view bytes, std::uint16_t port) noexcept {
  Address result;
  if (bytes.size() != 4 && bytes.size() != 16) return result;
  std::memcpy(result.bytes_.data(), bytes.data(), bytes.size());
  result.size_ = static_cast<std::uint8_t>(bytes.size());
  result.port_ = port;
  return result;
}

Address Address::unix_socket() noexcept {
  Address result;
  result.unix_ = true;
  return result;
}

std::optional<Address> Address::parse(std::string_view literal, std::uint16_t port) noexcept {
  char text[INET6_ADDRSTRLEN] = {};
  if (literal.empty() || literal.size() >= sizeof text) return std::nullopt;
  std::memcpy(text, literal.data(), literal.size());
  Address result;
  result.port_ = port;
  if (::inet_pton(AF_INET, text, result.bytes_.data()) == 1) {
    result.size_ = 4;
  } else if (::inet_pton(AF_INET6, text, result.bytes_.data()) == 1) {
    result.size_ = 16;
  } else {
    return std::nullopt;
  }
  return result;
}

bool Address::is_loopback() const noexcept {
  if (size_ == 4) return bytes_[0] == 127;
  if (size_ != 16) return false;
  static constexpr std::uint8_t v6[16] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
  static constexpr std::uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  return std::memcmp(bytes_.data(), v6, 16) == 0 ||
         (std::memcmp(bytes_.data(), mapped, 12) == 0 && bytes_[12] == 127);
}

std::string Address::host() const {
  if (size_ == 0) return unix_ ? "unix" : "";
  char text[INET6_ADDRSTRLEN] = {};
  ::inet_ntop(size_ == 4 ? AF_INET : AF_INET6, bytes_.data(), text, sizeof text);
  return text;
}

std::string Address::to_string() const {
  if (size_ == 0) return unix_ ? "unix" : "-";
  return (size_ == 16 ? "[" + host() + "]" : host()) + ":" + std::to_string(port_);
}

}  // namespace hotline
