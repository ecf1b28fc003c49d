#include "net/tls_context.h"

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <hotline/base/error.h>

namespace hotline::tls {
namespace {

[[noreturn]] void complain(const char* option, const std::string& file, std::string_view what) {
  ERR_clear_error();
  auto sentence = std::string(option) + ": \"" + escaped(file) + "\" ";
  throw Error(Fault::bad_option, sentence.append(what));
}

// Leaves nothing behind of what was in it: of a file that may be a key.
template <typename T>
struct Wiping : std::allocator<T> {
  template <typename U>
  struct rebind {
    using other = Wiping<U>;
  };
  void deallocate(T* memory, std::size_t count) noexcept {
    OPENSSL_cleanse(memory, count * sizeof(T));
    std::allocator<T>::deallocate(memory, count);
  }
};
using Text = std::vector<char, Wiping<char>>;

Text contents(const char* option, const std::string& file) {
  constexpr std::size_t step = 16 * 1024;
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> stream{std::fopen(file.c_str(), "rbe"),
                                                               &std::fclose};
  const auto demand = [&](bool good) {
    if (!good) complain(option, file, std::string("cannot be read: ") + std::strerror(errno));
  };
  demand(stream != nullptr);
  std::setvbuf(stream.get(), nullptr, _IONBF, 0);  // a buffer would not be wiped
  Text text;
  std::size_t size = 0;
  do {
    text.resize(size + step);
    size += std::fread(text.data() + size, 1, step, stream.get());
    demand(std::ferror(stream.get()) == 0);
  } while (size == text.size());
  text.resize(size);
  return text;
}

std::unique_ptr<BIO, Free> memory_of(const Text& text) {
  return std::unique_ptr<BIO, Free>{BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))};
}

// Nobody is there to be asked.
int no_passphrase(char*, int, int, void*) { return -1; }

Certificate next_certificate(BIO* bio) {
  return Certificate{PEM_read_bio_X509(bio, nullptr, &no_passphrase, nullptr)};
}

// Whether reading stopped for another reason than the end.
bool is_malformed() {
  const auto error = ERR_peek_last_error();
  const bool end =
      ERR_GET_LIB(error) == ERR_LIB_PEM && ERR_GET_REASON(error) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  return !end;
}

std::vector<Certificate> certificates_in(const char* option, const std::string& file) {
  const auto text = contents(option, file);
  const auto bio = memory_of(text);
  std::vector<Certificate> certificates;
  ERR_clear_error();
  while (auto certificate = next_certificate(bio.get())) {
    certificates.push_back(std::move(certificate));
  }
  if (is_malformed()) complain(option, file, "has a malformed certificate in it");
  if (certificates.empty()) complain(option, file, "has no certificate in it (PEM is expected)");
  return certificates;
}

constexpr const char* ciphers12 =
    "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:"
    "ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384:"
    "ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305";
constexpr const char* ciphers13 =
    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

}  // namespace

Context make_context(const SSL_METHOD* method) {
  ERR_clear_error();
  Context context{SSL_CTX_new(method), Free{}};
  if (!context || SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION) != 1 ||
      SSL_CTX_set_cipher_list(context.get(), ciphers12) != 1 ||
      SSL_CTX_set_ciphersuites(context.get(), ciphers13) != 1 ||
      SSL_CTX_set1_groups_list(context.get(), "X25519:P-256:P-384") != 1) {
    ERR_clear_error();
    throw Error(Fault::tls_failed, "OpenSSL cannot be set up");
  }
  // A peer that is gone without close_notify: Stream's reader is told of the end, and knows whether
  // it was complete.
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                         SSL_OP_CIPHER_SERVER_PREFERENCE |
                                         SSL_OP_PRIORITIZE_CHACHA | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(context.get(), SSL_MODE_NO_AUTO_CHAIN);  // the file says who signed
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  return context;
}

Pair read_pair(const std::string& certificate_file, const std::string& key_file) {
  Pair pair{certificate_file, certificates_in("certificate_file", certificate_file), nullptr};
  const auto text = contents("key_file", key_file);
  const auto bio = memory_of(text);
  ERR_clear_error();
  pair.key.reset(PEM_read_bio_PrivateKey(bio.get(), nullptr, &no_passphrase, nullptr));
  if (!pair.key) {
    constexpr std::string_view word = "ENCRYPTED";
    const bool encrypted =
        std::search(text.begin(), text.end(), word.begin(), word.end()) != text.end();
    complain("key_file", key_file,
             encrypted ? "has a passphrase, which is not accepted"
                       : "has no private key in it (PEM is expected)");
  }
  if (X509_check_private_key(pair.certificates[0].get(), pair.key.get()) != 1) {
    complain("key_file", key_file, "is not the key of \"" + escaped(certificate_file) + "\"");
  }
  return pair;
}

void use_pair(SSL_CTX* context, const Pair& pair) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate(context, pair.certificates[0].get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, pair.key.get()) != 1) {
    const auto* reason = ERR_reason_error_string(ERR_peek_last_error());
    complain("certificate_file", pair.certificate_file,
             std::string("is not accepted: ") + (reason ? reason : "unknown"));
  }
  for (std::size_t i = 1; i < pair.certificates.size(); ++i) {
    SSL_CTX_add1_chain_cert(context, pair.certificates[i].get());
  }
}

void trust(SSL_CTX* context, const char* option, const std::string& file) {
  for (const auto& certificate : certificates_in(option, file)) {
    X509_STORE_add_cert(SSL_CTX_get_cert_store(context), certificate.get());
    SSL_CTX_add_client_CA(context, certificate.get());
  }
}

void revoke(SSL_CTX* context, const std::string& file) {
  const auto text = contents("crl_file", file);
  const auto bio = memory_of(text);
  auto* store = SSL_CTX_get_cert_store(context);
  bool any = false;
  ERR_clear_error();
  while (auto* list = PEM_read_bio_X509_CRL(bio.get(), nullptr, &no_passphrase, nullptr)) {
    X509_STORE_add_crl(store, list);
    X509_CRL_free(list);
    any = true;
  }
  if (is_malformed()) complain("crl_file", file, "has a malformed list in it");
  if (!any)
    complain("crl_file", file, "has no list of revoked certificates in it (PEM is expected)");
  X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
}

}  // namespace hotline::tls
