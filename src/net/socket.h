#pragma once

#include <unistd.h>

#include <string>
#include <utility>

#include <hotline/net/address.h>

namespace hotline {

/// A descriptor and its owner.
class Socket {
 public:
  explicit Socket(int descriptor = -1) noexcept : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(other.release()) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    return *this;
  }
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }

  int get() const noexcept { return descriptor_; }
  explicit operator bool() const noexcept { return descriptor_ >= 0; }
  int release() noexcept { return std::exchange(descriptor_, -1); }
  /// Another descriptor of the same socket. Throws Error.
  Socket duplicate() const;

 private:
  int descriptor_;
};

/// Where a socket is bound, or an empty address.
Address local_address(int descriptor) noexcept;

/// A TCP socket, bound but not listening yet. `shared`: with those that are shared, too
/// (SO_REUSEPORT). Throws Error that names the address.
Socket bind_tcp(const Address& address, bool shared);

/// A non-blocking TCP socket (without delay) that is connected to `address`, or about to be: it is
/// writable then, and SO_ERROR tells. `zone`: the interface's number, for a link-local address; 0:
/// none. Throws Error that names the address.
Socket begin_connect(const Address& address, unsigned zone = 0);

/// Throws Error with errno's code: "cannot <what> <place>".
[[noreturn]] void fail_at(const char* what, const std::string& place);

}  // namespace hotline
