#pragma once

#include <cstddef>
#include <ctime>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <openssl/ssl.h>

namespace hotline::tls {

/// What a client's handshakes have left for those to come: of each server the newest few sessions.
/// For any thread.
///
/// Whose certificate a resumed handshake does not show again was shown, and verified, when the
/// session began: so sessions are kept by the name that was verified, and live with their context,
/// whose options did it.
class Sessions {
 public:
  struct Free {
    void operator()(SSL_SESSION* session) const noexcept { SSL_SESSION_free(session); }
  };
  using Pointer = std::unique_ptr<SSL_SESSION, Free>;
  struct Session {
    Pointer session;
    std::time_t verified = 0;  // when the server's certificate was
  };
  static constexpr std::size_t most = 64;
  static constexpr std::size_t most_of_one = 8;
  /// Seconds from the certificate's verification, however often it is resumed. A server may say
  /// less, and its certificate may expire before.
  static constexpr std::time_t most_age = 3600;

  /// Those of a client's context, which is to fill them from now on.
  static Sessions& make(SSL_CTX* context);
  static Sessions& of(const SSL* ssl) noexcept;

  void put(const std::string& server, Session session);
  /// The newest, which is then no longer here: a ticket that is shown twice would tell who listens
  /// that it is the same client (RFC 8446 C.4). Null: none, or only old ones.
  Session take(std::string_view server) noexcept;
  std::size_t size() const noexcept;

 private:
  struct Entry {
    std::string server;
    Session session;
  };

  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // the newest first
};

/// Before the handshake: a session with `server` is resumed if there is one, and what this
/// handshake leaves is kept for it. Throws std::bad_alloc.
void resume(SSL* ssl, std::string server);
/// Behind the handshake: in TLS 1.2 a session may be resumed many times.
void keep_resumed(SSL* ssl);

}  // namespace hotline::tls
