#pragma once

#include <string>
#include <vector>

namespace hotline {

/// A certificate and its private key, in PEM files. The certificate's file goes on with those that
/// sign it, up to the root, which may be left out. A key with a passphrase is not accepted.
struct CertificatePair {
  std::string certificate_file;
  std::string key_file;
};

/// How a client speaks TLS: 1.2 or 1.3, with ephemeral keys and authenticated ciphers. A server's
/// certificate is for its subjectAltNames: the subject's common name does not count (RFC 9525).
/// Sessions are resumed (RFC 8446 2.2) with the same name and port, by clients that have their
/// options from one object, such as a Dialer: for an hour after the certificate was verified.
struct TlsClientOptions {
  /// Certificates (PEM) of the authorities that are believed. Empty: those of the system.
  std::string ca_file = {};
  /// Lists (PEM) of revoked certificates; where there is one, each authority of a chain must have
  /// one in it. Empty: revocation is not looked at.
  std::string crl_file = {};
  /// Who this client is, for servers that ask (mutual TLS): both files or neither.
  std::string certificate_file = {};
  std::string key_file = {};
  /// What the server must be, and what it is asked for (SNI), in place of the name dialled.
  std::string server_name = {};
  /// Believes everybody: whoever sits on the line can read and change all that is said.
  bool dangerously_accept_any_certificate = false;
};

/// How a server speaks TLS: 1.2 or 1.3, with ephemeral keys and authenticated ciphers, and HTTP/1.1
/// within.
struct TlsServerOptions {
  /// Chosen by the name that the client asks for (SNI): the certificate that has exactly that name,
  /// else one with a wildcard for it, else the first. Of those that have the same names, with keys
  /// of different kinds (RSA, ECDSA), the client's algorithms choose. With none there is no TLS (or
  /// see `self_signed`).
  std::vector<CertificatePair> certificates = {};
  /// Where there are no `certificates`: one for localhost, 127.0.0.1, ::1 and `self_signed_names`
  /// (names and IP addresses), made anew at each start, which nobody believes. For trying things
  /// out.
  bool self_signed = false;
  std::vector<std::string> self_signed_names = {};
  /// Certificates (PEM) of the authorities that clients' certificates must come from: who has none
  /// is not let in (mutual TLS). Empty: clients are not asked.
  std::string client_ca_file = {};
  /// Lists (PEM) of clients' certificates that have been revoked; each authority of a chain must
  /// have one in it. Needs `client_ca_file`.
  std::string crl_file = {};

  /// Whether TLS is wanted at all.
  bool enabled() const noexcept { return self_signed || !certificates.empty(); }
};

}  // namespace hotline
