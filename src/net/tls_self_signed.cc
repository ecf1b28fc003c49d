#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <hotline/base/error.h>
#include <hotline/net/address.h>

#include "net/tls_context.h"

namespace hotline::tls {
namespace {

void demand(bool good) {
  if (good) return;
  ERR_clear_error();
  throw Error(Fault::tls_failed, "OpenSSL cannot make a certificate");
}

void add_extension(X509* certificate, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, certificate, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  demand(extension && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

}  // namespace

std::shared_ptr<const SelfSigned> make_self_signed(const std::vector<std::string>& names) {
  auto alternatives = std::string("DNS:localhost,IP:127.0.0.1,IP:::1");
  for (const auto& name : names) {
    // OpenSSL reads commas and colons.
    if (name.empty() || name.find_first_of(", \t\r\n") != std::string::npos) {
      throw Error(Fault::bad_option,
                  "self_signed_names: \"" + escaped(name) + "\" is neither a name nor an address");
    }
    alternatives += (Address::parse(name, 0) ? ",IP:" : ",DNS:") + name;
  }
  auto pair = std::make_shared<SelfSigned>();
  pair->key.reset(EVP_EC_gen("P-256"));
  pair->certificate.reset(X509_new());
  auto* certificate = pair->certificate.get();
  auto* key = pair->key.get();
  demand(key && certificate);
  X509_set_version(certificate, X509_VERSION_3);
  auto* serial = BN_new();
  demand(serial && BN_rand(serial, 126, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
         BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)));
  BN_free(serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);  // clocks differ
  X509_gmtime_adj(X509_getm_notAfter(certificate), 365L * 24 * 3600);
  auto* name = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>("hotline, self-signed");
  demand(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, text, -1, -1, 0) == 1 &&
         X509_set_issuer_name(certificate, name) == 1 && X509_set_pubkey(certificate, key) == 1);
  add_extension(certificate, NID_subject_alt_name, alternatives);
  add_extension(certificate, NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate, NID_ext_key_usage, "serverAuth");
  demand(X509_sign(certificate, key, EVP_sha256()) > 0);
  return pair;
}

}  // namespace hotline::tls
