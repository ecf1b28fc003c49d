#include "line.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <stdexcept>
#include <system_error>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace hotline::bench {
namespace {

SSL_CTX* context() {
  static SSL_CTX* const made = [] {
    ::signal(SIGPIPE, SIG_IGN);  // OpenSSL writes by write()
    auto* fresh = SSL_CTX_new(TLS_client_method());
    // The cipher that servers prefer on their own, so that all do the same work.
    SSL_CTX_set_ciphersuites(fresh, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set_mode(fresh, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_read_ahead(fresh, 1);
    SSL_CTX_set_default_read_buffer_len(fresh, 64 * 1024);
    return fresh;
  }();
  return made;
}

ssize_t outcome(SSL* ssl, int result) {
  switch (SSL_get_error(ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE: errno = EAGAIN; return -1;
    case SSL_ERROR_ZERO_RETURN: return 0;
    default: errno = EPROTO; return -1;
  }
}

}  // namespace

Line::~Line() {
  SSL_free(ssl_);
  ::close(descriptor_);
}

void Line::secure() {
  ssl_ = SSL_new(context());
  SSL_set_fd(ssl_, descriptor_);
  ERR_clear_error();
  if (SSL_connect(ssl_) != 1) {
    const auto* reason = ERR_reason_error_string(ERR_peek_error());
    throw std::runtime_error(std::string("the TLS handshake failed: ") + (reason ? reason : "?"));
  }
}

void Line::set_blocking(bool blocking) {
  blocking_ = blocking;
  const int flags = ::fcntl(descriptor_, F_GETFL);
  const int wanted = blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK;
  if (::fcntl(descriptor_, F_SETFL, wanted) < 0) {
    throw std::system_error(errno, std::generic_category(), "fcntl");
  }
}

ssize_t Line::receive(std::span<char> bytes) {
  if (!ssl_) return ::recv(descriptor_, bytes.data(), bytes.size(), 0);
  std::size_t size = 0;
  while (size < bytes.size()) {
    if (size > 0 && blocking_ && SSL_pending(ssl_) == 0) break;
    ERR_clear_error();
    const int count = SSL_read(ssl_, bytes.data() + size, static_cast<int>(bytes.size() - size));
    if (count <= 0) {
      if (size > 0) break;
      return outcome(ssl_, count);
    }
    size += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(size);
}

ssize_t Line::send(std::string_view bytes) {
  if (!ssl_) return ::send(descriptor_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
  std::size_t size = 0;
  while (size < bytes.size()) {
    ERR_clear_error();
    const int count = SSL_write(ssl_, bytes.data() + size, static_cast<int>(bytes.size() - size));
    if (count <= 0) {
      if (size > 0) break;
      return outcome(ssl_, count);
    }
    size += static_cast<std::size_t>(count);
  }
  return static_cast<ssize_t>(size);
}

}  // namespace hotline::bench
