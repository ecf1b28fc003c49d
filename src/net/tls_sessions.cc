#include "net/tls_sessions.h"

#include <algorithm>
#include <ctime>
#include <new>
#include <tuple>
#include <utility>

#include <openssl/x509.h>

namespace hotline::tls {
namespace {

// What goes with an object of OpenSSL's.
template <typename T>
void free_extra(void*, void* extra, CRYPTO_EX_DATA*, int, long, void*) {
  delete static_cast<T*>(extra);
}

// Sessions, of a context.
int sessions_index() noexcept {
  static const int index =
      SSL_CTX_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_extra<Sessions>);
  return index;
}

// What a connection has to know for the sessions to come of it.
struct Origin {
  std::string server;
  std::time_t begun;
  std::time_t resumed_verified;
};

int origin_index() noexcept {
  static const int index = SSL_get_ex_new_index(0, nullptr, nullptr, nullptr, &free_extra<Origin>);
  return index;
}

// A copy: OpenSSL spoils its own for resuming where a connection ends without close_notify.
void keep(const SSL* ssl, SSL_SESSION* session) {
  const auto* origin = static_cast<const Origin*>(SSL_get_ex_data(ssl, origin_index()));
  if (!origin || SSL_SESSION_is_resumable(session) != 1) return;
  Sessions::Pointer copy{SSL_SESSION_dup(session)};
  if (!copy) return;
  const auto verified = SSL_session_reused(ssl) == 1 ? origin->resumed_verified : origin->begun;
  Sessions::of(ssl).put(origin->server, {std::move(copy), verified});
}

// OpenSSL's callback, behind the handshake that has verified the server: 0, it keeps its own.
int on_session(SSL* ssl, SSL_SESSION* session) noexcept {
  try {
    keep(ssl, session);
  } catch (const std::bad_alloc&) {
    // There will be another.
  }
  return 0;
}

// A certificate that is not shown again is not looked at again, but for this.
bool has_expired(const X509* certificate, std::time_t now) noexcept {
  return certificate && X509_cmp_time(X509_get0_notAfter(certificate), &now) <= 0;
}

bool is_old(const Sessions::Session& session, std::time_t now) noexcept {
  if (now < session.verified || now - session.verified >= Sessions::most_age) return true;
  if (has_expired(SSL_SESSION_get0_peer(session.session.get()), now)) return true;
  const auto lifetime = SSL_SESSION_get_ticket_lifetime_hint(session.session.get());
  const auto age = now - SSL_SESSION_get_time(session.session.get());
  return lifetime != 0 && age >= 0 && static_cast<unsigned long>(age) >= lifetime;
}

}  // namespace

Sessions& Sessions::make(SSL_CTX* context) {
  auto made = std::make_unique<Sessions>();
  if (SSL_CTX_set_ex_data(context, sessions_index(), made.get()) != 1) throw std::bad_alloc();
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_CLIENT | SSL_SESS_CACHE_NO_INTERNAL);
  SSL_CTX_sess_set_new_cb(context, &on_session);
  return *made.release();
}

Sessions& Sessions::of(const SSL* ssl) noexcept {
  return *static_cast<Sessions*>(SSL_CTX_get_ex_data(SSL_get_SSL_CTX(ssl), sessions_index()));
}

void Sessions::put(const std::string& server, Session session) {
  std::list<Entry> fresh;
  fresh.push_back({server, std::move(session)});
  const std::scoped_lock lock{mutex_};
  entries_.splice(entries_.begin(), fresh);
  const auto is_its = [&](const Entry& entry) { return entry.server == server; };
  if (std::count_if(entries_.begin(), entries_.end(), is_its) >
      static_cast<std::ptrdiff_t>(most_of_one)) {
    entries_.erase(std::prev(std::find_if(entries_.rbegin(), entries_.rend(), is_its).base()));
  } else if (entries_.size() > most) {
    entries_.pop_back();
  }
}

Sessions::Session Sessions::take(std::string_view server) noexcept {
  const auto now = std::time(nullptr);
  const std::scoped_lock lock{mutex_};
  entries_.remove_if([&](const Entry& entry) { return is_old(entry.session, now); });
  const auto found = std::find_if(entries_.begin(), entries_.end(),
                                  [&](const Entry& entry) { return entry.server == server; });
  if (found == entries_.end()) return {};
  auto session = std::move(found->session);
  entries_.erase(found);
  return session;
}

std::size_t Sessions::size() const noexcept {
  const std::scoped_lock lock{mutex_};
  return entries_.size();
}

void resume(SSL* ssl, std::string server) {
  const auto earlier = Sessions::of(ssl).take(server);
  if (earlier.session) SSL_set_session(ssl, earlier.session.get());
  std::unique_ptr<Origin> origin{
      new Origin{std::move(server), std::time(nullptr), earlier.verified}};
  if (SSL_set_ex_data(ssl, origin_index(), origin.get()) != 1) throw std::bad_alloc();
  std::ignore = origin.release();  // OpenSSL frees it
}

void keep_resumed(SSL* ssl) {
  if (SSL_session_reused(ssl) == 1 && SSL_version(ssl) == TLS1_2_VERSION) {
    keep(ssl, SSL_get0_session(ssl));
  }
}

}  // namespace hotline::tls
