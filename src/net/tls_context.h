#pragma once

#include <memory>
#include <string>
#include <vector>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace hotline::tls {

struct Free {
  void operator()(X509* object) const noexcept { X509_free(object); }
  void operator()(EVP_PKEY* object) const noexcept { EVP_PKEY_free(object); }
  void operator()(SSL_CTX* object) const noexcept { SSL_CTX_free(object); }
  void operator()(BIO* object) const noexcept { BIO_free(object); }
};
using Certificate = std::unique_ptr<X509, Free>;
using Key = std::unique_ptr<EVP_PKEY, Free>;
using Context = std::shared_ptr<SSL_CTX>;

/// A certificate, those that sign it, and its key.
struct Pair {
  std::string certificate_file;
  std::vector<Certificate> certificates;
  Key key;
};

/// A certificate made here, and its key.
struct SelfSigned {
  Certificate certificate;
  Key key;
};

/// ECDSA P-256; for localhost, 127.0.0.1, ::1 and `names`, for a year from now.
std::shared_ptr<const SelfSigned> make_self_signed(const std::vector<std::string>& names);

/// Of this thread: what is said next is about the next call. Seldom is there any.
inline void clear_errors() noexcept {
  if (ERR_peek_error() != 0) ERR_clear_error();
}

/// What both roles have in common: TLS 1.2 and 1.3, ephemeral keys, AEAD.
Context make_context(const SSL_METHOD* method);

// Each throws Error (bad_option) that names the option and the file.
Pair read_pair(const std::string& certificate_file, const std::string& key_file);
/// Beside the pairs of other kinds of keys that it has.
void use_pair(SSL_CTX* context, const Pair& pair);
/// Whom it believes.
void trust(SSL_CTX* context, const char* option, const std::string& file);
/// Whom it does not believe any more.
void revoke(SSL_CTX* context, const std::string& file);

}  // namespace hotline::tls
