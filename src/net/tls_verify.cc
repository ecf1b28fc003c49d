#include "net/tls_verify.h"

#include <string>

#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <hotline/base/error.h>

#include "net/tls_certificate.h"
#include "net/tls_stream.h"

namespace hotline::tls {
namespace {

std::string list(const std::vector<std::string>& names) {
  constexpr std::size_t most = 8;
  if (names.empty()) return "no name at all";
  std::string text;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) {
    if (i > 0) text += ", ";
    text += names[i];
  }
  if (names.size() > most) text += " and " + std::to_string(names.size() - most) + " more";
  return text;
}

struct Verdict {
  Fault fault;
  std::string sentence;
};

Verdict verdict(int error, const X509* certificate) {
  if (!certificate) return {Fault::certificate_untrusted, X509_verify_cert_error_string(error)};
  const auto subject = subject_of(certificate);
  switch (error) {
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return {Fault::certificate_expired,
              subject + " was valid until " + text_of(describe(certificate).not_after)};
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return {Fault::certificate_not_yet_valid,
              subject + " is valid from " + text_of(describe(certificate).not_before) + " on"};
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      if (X509_get_ext_by_NID(certificate, NID_subject_alt_name, -1) < 0) {
        return {Fault::certificate_wrong_name,
                subject + " is for no name (a subjectAltName; the subject is none)"};
      }
      return {Fault::certificate_wrong_name, "it is for " + list(names_of(certificate))};
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT: return {Fault::certificate_self_signed, subject};
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
      return {Fault::certificate_untrusted, subject + " is signed by " + issuer_of(certificate)};
    case X509_V_ERR_CERT_REVOKED:
      return {Fault::certificate_revoked, subject + ", by " + issuer_of(certificate)};
    case X509_V_ERR_UNABLE_TO_GET_CRL:
      return {Fault::certificate_untrusted,
              "no list of revoked certificates is there of " + issuer_of(certificate)};
    case X509_V_ERR_CRL_HAS_EXPIRED:
      return {Fault::certificate_untrusted,
              "the list of revoked certificates has expired of " + issuer_of(certificate)};
    default:
      return {Fault::certificate_untrusted, subject + ": " + X509_verify_cert_error_string(error)};
  }
}

}  // namespace

int on_verified(int good, X509_STORE_CTX* context) {
  if (good == 1) return 1;
  const auto* ssl = static_cast<const SSL*>(
      X509_STORE_CTX_get_ex_data(context, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto found = verdict(X509_STORE_CTX_get_error(context), X509_STORE_CTX_get_current_cert(context));
  TlsStream::of(ssl).reject(found.fault, std::move(found.sentence));
  return 0;
}

}  // namespace hotline::tls
