#include "net/tls_certificate.h"

#include <algorithm>
#include <ctime>
#include <span>

#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <hotline/base/error.h>
#include <hotline/net/address.h>

namespace hotline::tls {
namespace {

std::string text_of(const X509_NAME* name) {
  std::unique_ptr<BIO, decltype(&BIO_free)> memory{BIO_new(BIO_s_mem()), &BIO_free};
  if (!memory || !name) return {};
  // What is not ASCII, or no character to be seen, comes out escaped.
  if (X509_NAME_print_ex(memory.get(), name, 0, XN_FLAG_RFC2253) < 0) return {};
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(memory.get(), &bytes);
  return std::string(bytes, std::min(static_cast<std::size_t>(size), std::size_t{500}));
}

std::string_view view(const ASN1_STRING* text) {
  return {reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
          static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string lower(std::string_view text) {
  auto result = escaped(text, 255);  // a name with a NUL in it is none
  std::transform(result.begin(), result.end(), result.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return result;
}

std::chrono::system_clock::time_point time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (!time || ASN1_TIME_to_tm(time, &parts) != 1) return {};
  // Beyond what the clock can count there is nobody to care.
  constexpr std::time_t furthest = 9'000'000'000;
  return std::chrono::system_clock::from_time_t(
      std::clamp<std::time_t>(::timegm(&parts), -furthest, furthest));
}

std::string common_name(const X509* certificate) {
  auto* subject = X509_get_subject_name(certificate);
  const auto at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0) return {};
  return lower(view(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at))));
}

}  // namespace

std::string subject_of(const X509* certificate) {
  return text_of(X509_get_subject_name(certificate));
}

std::string issuer_of(const X509* certificate) {
  return text_of(X509_get_issuer_name(certificate));
}

std::vector<std::string> names_of(const X509* certificate) {
  std::vector<std::string> names;
  auto* list = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(list); ++i) {
    const auto* name = sk_GENERAL_NAME_value(list, i);
    if (name->type == GEN_DNS) {
      names.push_back(lower(view(name->d.dNSName)));
    } else if (name->type == GEN_IPADD) {
      const auto bytes = view(name->d.iPAddress);
      names.push_back(Address::from_bytes(bytes, 0).host());
    }
  }
  const bool listed = list != nullptr;
  GENERAL_NAMES_free(list);
  if (!listed) {
    if (auto name = common_name(certificate); !name.empty()) names.push_back(std::move(name));
  }
  return names;
}

std::string fingerprint_of(const X509* certificate) {
  static constexpr char digits[] = "0123456789ABCDEF";
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest, &size) != 1) return {};
  std::string text;
  for (const auto byte : std::span{digest, size}) {
    if (!text.empty()) text += ':';
    text += digits[byte >> 4];
    text += digits[byte & 15];
  }
  return text;
}

std::string text_of(std::chrono::system_clock::time_point time) {
  const auto seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  char text[64];
  ::gmtime_r(&seconds, &parts);
  return {text, std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)};
}

CertificateInfo describe(const X509* certificate) {
  CertificateInfo info;
  info.subject = subject_of(certificate);
  info.issuer = issuer_of(certificate);
  info.names = names_of(certificate);
  info.not_before = time_of(X509_get0_notBefore(certificate));
  info.not_after = time_of(X509_get0_notAfter(certificate));
  info.fingerprint = fingerprint_of(certificate);
  return info;
}

std::shared_ptr<const TlsInfo> describe(const SSL* ssl) noexcept {
  try {
    const auto info = std::make_shared<TlsInfo>();
    info->version = SSL_get_version(ssl);
    info->cipher = SSL_CIPHER_get_name(SSL_get_current_cipher(ssl));
    const unsigned char* alpn = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl, &alpn, &size);
    if (size > 0) info->alpn.assign(reinterpret_cast<const char*>(alpn), size);
    if (const auto* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name)) {
      info->server_name = name;
    }
    info->resumed = SSL_session_reused(ssl) == 1;
    if (const auto* peer = SSL_get0_peer_certificate(ssl)) info->peer = describe(peer);
    return info;
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace hotline::tls
