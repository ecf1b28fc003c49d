#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <hotline/net/tls_options.h>

namespace hotline::testing {

struct CertificateOrder {
  /// Names and IP addresses; the first is the common name, too.
  std::vector<std::string> names = {"localhost"};
  /// Days from now.
  int from = -1;
  int until = 30;
  bool self_signed = false;
  /// Without it the common name is all there is, as in the last century.
  bool lists_names = true;
  /// In place of ECDSA.
  bool rsa = false;
};

/// Certificates for tests: an authority and whatever it signs, in a directory that goes with this.
class Certificates {
 public:
  explicit Certificates(std::string authority = "Test Authority");
  Certificates(const Certificates&) = delete;
  Certificates& operator=(const Certificates&) = delete;
  ~Certificates();

  /// The authority's own certificate.
  std::string ca_file() const;
  CertificatePair issue(const CertificateOrder& order);
  CertificatePair issue_for(std::string name) { return issue({.names = {std::move(name)}}); }
  /// The authority's list, with these on it.
  std::string revoke(const std::vector<CertificatePair>& revoked);
  std::string file(const std::string& name, const std::string& contents) const;
  std::string path(const std::string& name) const { return (directory_ / name).string(); }

 private:
  struct Signer;
  std::filesystem::path directory_;
  std::unique_ptr<Signer> signer_;
  int issued_ = 0;
};

}  // namespace hotline::testing
