#pragma once

// TLS for the floor: OpenSSL, one recv for a readiness, and a send for each record.
#include <sys/socket.h>

#include <cerrno>
#include <cstddef>
#include <memory>
#include <stdexcept>
#include <string>

#include <openssl/ssl.h>

namespace hotline::bench {

// One connection's. It keeps its buffers, which a server with idle connections cannot afford.
class FloorTls {
 public:
  FloorTls(SSL_CTX* context, int descriptor) : ssl_(SSL_new(context)), descriptor_(descriptor) {
    auto* const bio = BIO_new(method());
    BIO_set_data(bio, this);
    BIO_set_init(bio, 1);
    SSL_set_bio(ssl_, bio, bio);
    SSL_set_accept_state(ssl_);
  }
  FloorTls(const FloorTls&) = delete;
  ~FloorTls() { SSL_free(ssl_); }

  static SSL_CTX* make_context(const std::string& certificate, const std::string& key) {
    auto* const context = SSL_CTX_new(TLS_server_method());
    SSL_CTX_set_num_tickets(context, 1);
    SSL_CTX_set_read_ahead(context, 1);
    SSL_CTX_set_mode(context, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (SSL_CTX_use_certificate_chain_file(context, certificate.c_str()) != 1 ||
        SSL_CTX_use_PrivateKey_file(context, key.c_str(), SSL_FILETYPE_PEM) != 1) {
      throw std::runtime_error("--tls-cert and --tls-key: they cannot be used");
    }
    return context;
  }

  // As recv() and send(): 0 at the end, -1 with errno.
  ssize_t receive(char* to, std::size_t size) {
    const int count = SSL_read(ssl_, to, static_cast<int>(size));
    if (count > 0) return count;
    const auto error = SSL_get_error(ssl_, count);
    if (error == SSL_ERROR_ZERO_RETURN) return 0;
    errno = error == SSL_ERROR_WANT_READ ? EAGAIN : EPROTO;
    return -1;
  }
  // Until the socket takes no more: nothing else tells when it takes the rest.
  ssize_t send(const char* bytes, std::size_t size) {
    std::size_t sent = 0;
    while (sent < size) {
      const int count = SSL_write(ssl_, bytes + sent, static_cast<int>(size - sent));
      if (count <= 0) break;
      sent += static_cast<std::size_t>(count);
    }
    return static_cast<ssize_t>(sent);
  }

  // Another readiness: the socket may be asked once more, or until it has said that it has ended.
  void begin(bool hung_up) {
    drained_ = false;
    hung_up_ = hung_up;
  }
  bool has_more() const { return !drained_ || SSL_has_pending(ssl_) == 1; }

 private:
  static int read(BIO* bio, char* to, int size) {
    auto& self = *static_cast<FloorTls*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    ssize_t count = -1;
    if (!self.drained_ || self.hung_up_) {
      count = ::recv(self.descriptor_, to, static_cast<std::size_t>(size), 0);
      self.drained_ = count < size;
      if (count >= 0 || errno != EAGAIN) return static_cast<int>(count);
    }
    BIO_set_retry_read(bio);
    return -1;
  }
  static int write(BIO* bio, const char* bytes, int size) {
    const auto& self = *static_cast<FloorTls*>(BIO_get_data(bio));
    BIO_clear_retry_flags(bio);
    const auto count =
        ::send(self.descriptor_, bytes, static_cast<std::size_t>(size), MSG_NOSIGNAL);
    if (count < 0 && errno == EAGAIN) BIO_set_retry_write(bio);
    return static_cast<int>(count);
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static const auto* const made = [] {
      auto* const fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "floor");
      BIO_meth_set_read(fresh, &read);
      BIO_meth_set_write(fresh, &write);
      BIO_meth_set_ctrl(fresh, &control);
      return fresh;
    }();
    return made;
  }

  SSL* ssl_;
  int descriptor_;
  bool drained_ = false;
  bool hung_up_ = false;
};

}  // namespace hotline::bench
