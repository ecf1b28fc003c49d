#pragma once

#include <chrono>
#include <string>
#include <vector>

namespace hotline {

/// A certificate, for looking at: what is said here has been verified only where the peer's was.
struct CertificateInfo {
  /// "CN=example.org,O=Example" (RFC 2253). "" where the peer showed none.
  std::string subject;
  std::string issuer;
  /// Names and IP addresses that it is for; the subject's common name where it has no such list.
  std::vector<std::string> names;
  std::chrono::system_clock::time_point not_before;
  std::chrono::system_clock::time_point not_after;
  /// SHA-256 of the certificate, in hexadecimal with colons.
  std::string fingerprint;
};

/// What a TLS handshake has come to.
struct TlsInfo {
  /// "TLSv1.3"
  std::string version;
  /// "TLS_AES_128_GCM_SHA256"
  std::string cipher;
  /// "http/1.1"; "" if none was agreed on.
  std::string alpn;
  /// What the client asked for (SNI); "" if nothing.
  std::string server_name;
  /// An earlier handshake was taken up again: `peer` was shown, and verified, then.
  bool resumed = false;
  /// Of a server: always there. Of a client: with mutual TLS.
  CertificateInfo peer;
};

}  // namespace hotline
