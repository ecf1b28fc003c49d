#include "support/certificates.h"

#include <cstdlib>
#include <fstream>
#include <stdexcept>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

namespace hotline::testing {
namespace {

void demand(bool good) {
  if (!good) throw std::runtime_error("OpenSSL cannot make a test's certificate");
}

template <typename Write>
std::string pem(const Write& write) {
  auto* memory = BIO_new(BIO_s_mem());
  demand(write(memory) == 1);
  char* bytes = nullptr;
  const auto size = BIO_get_mem_data(memory, &bytes);
  std::string text{bytes, static_cast<std::size_t>(size)};
  BIO_free(memory);
  return text;
}

std::string pem_of(X509* certificate) {
  return pem([&](BIO* bio) { return PEM_write_bio_X509(bio, certificate); });
}

std::string pem_of(EVP_PKEY* key) {
  return pem([&](BIO* bio) {
    return PEM_write_bio_PrivateKey(bio, key, nullptr, nullptr, 0, nullptr, nullptr);
  });
}

void extend(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str());
  demand(extension && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

X509* begin(EVP_PKEY* key, const std::string& name, long serial, int from, int until) {
  auto* certificate = X509_new();
  X509_set_version(certificate, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), serial);
  X509_time_adj_ex(X509_getm_notBefore(certificate), from, 0, nullptr);
  X509_time_adj_ex(X509_getm_notAfter(certificate), until, 0, nullptr);
  X509_set_pubkey(certificate, key);
  auto* subject = X509_get_subject_name(certificate);
  const auto* text = reinterpret_cast<const unsigned char*>(name.c_str());
  X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, text, -1, -1, 0);
  return certificate;
}

bool is_address(const std::string& name) {
  return name.find(':') != std::string::npos ||
         name.find_first_not_of("0123456789.") == std::string::npos;
}

}  // namespace

struct Certificates::Signer {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = nullptr;

  ~Signer() {
    X509_free(certificate);
    EVP_PKEY_free(key);
  }
};

Certificates::Certificates(std::string authority) : signer_(std::make_unique<Signer>()) {
  auto pattern = (std::filesystem::temp_directory_path() / "hotline-certificates-XXXXXX").string();
  demand(::mkdtemp(pattern.data()) != nullptr);
  directory_ = pattern;
  auto* certificate = signer_->certificate = begin(signer_->key, authority, 1, -10, 100);
  X509_set_issuer_name(certificate, X509_get_subject_name(certificate));
  extend(certificate, certificate, NID_basic_constraints, "critical,CA:TRUE");
  extend(certificate, certificate, NID_key_usage, "critical,keyCertSign,cRLSign");
  demand(X509_sign(certificate, signer_->key, EVP_sha256()) > 0);
  file("ca.pem", pem_of(certificate));
}

Certificates::~Certificates() {
  std::error_code ignored;
  std::filesystem::remove_all(directory_, ignored);
}

std::string Certificates::ca_file() const { return path("ca.pem"); }

std::string Certificates::file(const std::string& name, const std::string& contents) const {
  std::ofstream{path(name), std::ios::binary} << contents;
  return path(name);
}

CertificatePair Certificates::issue(const CertificateOrder& order) {
  const auto number = std::to_string(++issued_);
  auto* key = order.rsa ? EVP_RSA_gen(2048) : EVP_EC_gen("P-256");
  auto* certificate = begin(key, order.names.at(0), 100 + issued_, order.from, order.until);
  auto* issuer = order.self_signed ? certificate : signer_->certificate;
  X509_set_issuer_name(certificate, X509_get_subject_name(issuer));
  std::string names;
  for (const auto& name : order.names) {
    names += (names.empty() ? "" : ",") + std::string(is_address(name) ? "IP:" : "DNS:") + name;
  }
  if (order.lists_names) extend(certificate, issuer, NID_subject_alt_name, names);
  demand(X509_sign(certificate, order.self_signed ? key : signer_->key, EVP_sha256()) > 0);
  const CertificatePair pair{file(number + ".pem", pem_of(certificate)),
                             file(number + ".key", pem_of(key))};
  X509_free(certificate);
  EVP_PKEY_free(key);
  return pair;
}

std::string Certificates::revoke(const std::vector<CertificatePair>& revoked) {
  auto* list = X509_CRL_new();
  X509_CRL_set_version(list, X509_CRL_VERSION_2);
  X509_CRL_set_issuer_name(list, X509_get_subject_name(signer_->certificate));
  auto* time = X509_time_adj_ex(nullptr, -1, 0, nullptr);
  X509_CRL_set1_lastUpdate(list, time);
  for (const auto& pair : revoked) {
    auto* bio = BIO_new_file(pair.certificate_file.c_str(), "r");
    auto* certificate = PEM_read_bio_X509(bio, nullptr, nullptr, nullptr);
    demand(certificate);
    auto* entry = X509_REVOKED_new();
    X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(certificate));
    X509_REVOKED_set_revocationDate(entry, time);
    X509_CRL_add0_revoked(list, entry);
    X509_free(certificate);
    BIO_free(bio);
  }
  X509_time_adj_ex(time, 30, 0, nullptr);
  X509_CRL_set1_nextUpdate(list, time);
  ASN1_TIME_free(time);
  demand(X509_CRL_sign(list, signer_->key, EVP_sha256()) > 0);
  const auto text = pem([&](BIO* bio) { return PEM_write_bio_X509_CRL(bio, list); });
  X509_CRL_free(list);
  return file("revoked.pem", text);
}

}  // namespace hotline::testing
