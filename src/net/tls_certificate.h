#pragma once

#include <memory>
#include <string>
#include <vector>

#include <hotline/net/tls_info.h>

struct ssl_st;
using SSL = ssl_st;
struct x509_st;
using X509 = x509_st;

namespace hotline::tls {

CertificateInfo describe(const X509* certificate);
/// Null where there is no memory for it.
std::shared_ptr<const TlsInfo> describe(const SSL* ssl) noexcept;
/// What it is for: names in lower case, and IP addresses.
std::vector<std::string> names_of(const X509* certificate);
/// "CN=example.org,O=Example"; only printable ASCII.
std::string subject_of(const X509* certificate);
std::string issuer_of(const X509* certificate);
/// SHA-256, "AB:CD:...".
std::string fingerprint_of(const X509* certificate);
/// "2026-03-01 12:00:00 UTC"
std::string text_of(std::chrono::system_clock::time_point time);

}  // namespace hotline::tls
