#include <sys/stat.h>

#include <algorithm>
#include <unordered_map>
#include <utility>

#include <openssl/err.h>

#include <hotline/base/error.h>

#include "net/tls.h"
#include "net/tls_certificate.h"
#include "net/tls_context.h"
#include "net/tls_verify.h"

namespace hotline {
namespace {

// Size, time and place of a file: another where it was changed or replaced.
std::string look(const std::string& file) {
  struct stat found{};
  if (file.empty() || ::stat(file.c_str(), &found) != 0) return "none;";
  std::string text;
  for (const auto part :
       {static_cast<long long>(found.st_dev), static_cast<long long>(found.st_ino),
        static_cast<long long>(found.st_size), static_cast<long long>(found.st_mtim.tv_sec),
        static_cast<long long>(found.st_mtim.tv_nsec), static_cast<long long>(found.st_ctim.tv_sec),
        static_cast<long long>(found.st_ctim.tv_nsec)}) {
    text += std::to_string(part) + ' ';
  }
  return text + ';';
}

std::string look(const TlsServerOptions& options) {
  std::string text;
  for (const auto& pair : options.certificates) {
    text += look(pair.certificate_file) + look(pair.key_file);
  }
  return text + look(options.client_ca_file) + look(options.crl_file);
}

std::string line_about(const X509* certificate) {
  const auto info = tls::describe(certificate);
  std::string line;
  for (const auto& name : info.names) line.append(line.empty() ? "" : ", ").append(name);
  return line + " (until " + tls::text_of(info.not_after) + ", SHA-256 " + info.fingerprint + ")";
}

int choose_protocol(SSL*, const unsigned char** chosen, unsigned char* size,
                    const unsigned char* offered, unsigned offered_size, void*) {
  static constexpr unsigned char known[] = "\x08http/1.1";
  unsigned char* out = nullptr;
  if (SSL_select_next_proto(&out, size, known, sizeof known - 1, offered, offered_size) !=
      OPENSSL_NPN_NEGOTIATED) {
    return SSL_TLSEXT_ERR_ALERT_FATAL;  // no_application_protocol
  }
  *chosen = out;
  return SSL_TLSEXT_ERR_OK;
}

}  // namespace

// What is read from the files at one time. The first context is the one that connections begin
// with; the others lend their certificates.
struct TlsServer::State {
  struct Site {
    tls::Context context;
    std::vector<std::string> names;
    std::vector<int> kinds;  // of keys: the context holds one certificate of each
  };
  std::vector<Site> sites;
  std::unordered_map<std::string, SSL_CTX*> by_name;
  std::vector<std::string> lines;  // about each pair

  SSL_CTX* find(std::string name) const {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    if (const auto exact = by_name.find(name); exact != by_name.end()) return exact->second;
    const auto dot = name.find('.');
    if (dot == std::string::npos) return nullptr;
    const auto wildcard = by_name.find("*" + name.substr(dot));
    return wildcard == by_name.end() ? nullptr : wildcard->second;
  }

  static int choose_certificate(SSL* ssl, int*, void* state) {
    const auto* name = SSL_get_servername(ssl, TLSEXT_NAMETYPE_host_name);
    auto* found = name ? static_cast<const State*>(state)->find(name) : nullptr;
    if (found) SSL_set_SSL_CTX(ssl, found);
    return SSL_TLSEXT_ERR_OK;
  }

  // Certificates for the same names stand side by side where their keys differ in kind: what a
  // client knows decides.
  SSL_CTX* context_for(const X509* certificate) {
    lines.push_back(line_about(certificate));
    auto names = tls::names_of(certificate);
    std::sort(names.begin(), names.end());
    const auto kind = EVP_PKEY_get_base_id(X509_get0_pubkey(certificate));
    for (auto& site : sites) {
      if (site.names == names && std::ranges::count(site.kinds, kind) == 0) {
        site.kinds.push_back(kind);
        return site.context.get();
      }
    }
    auto context = tls::make_context(TLS_server_method());
    for (const auto& name : names) by_name.emplace(name, context.get());
    // Sessions are resumed by tickets, whose keys are the first context's: on any loop, until a
    // reload.
    static constexpr unsigned char site[] = "hotline";
    SSL_CTX_set_session_id_context(context.get(), site, sizeof site - 1);
    SSL_CTX_set_num_tickets(context.get(), 1);
    sites.push_back({std::move(context), std::move(names), {kind}});
    return sites.back().context.get();
  }

  State(const TlsServerOptions& options, const tls::SelfSigned* self_signed) {
    for (const auto& pair : options.certificates) {
      const auto read = tls::read_pair(pair.certificate_file, pair.key_file);
      tls::use_pair(context_for(read.certificates[0].get()), read);
    }
    if (sites.empty()) {
      auto* context = context_for(self_signed->certificate.get());
      SSL_CTX_use_certificate(context, self_signed->certificate.get());
      SSL_CTX_use_PrivateKey(context, self_signed->key.get());
    }
    auto* first = sites[0].context.get();
    if (sites.size() > 1) {
      SSL_CTX_set_tlsext_servername_callback(first, &choose_certificate);
      SSL_CTX_set_tlsext_servername_arg(first, this);
    }
    SSL_CTX_set_alpn_select_cb(first, &choose_protocol, nullptr);
    if (options.client_ca_file.empty()) return;
    tls::trust(first, "client_ca_file", options.client_ca_file);
    if (!options.crl_file.empty()) tls::revoke(first, options.crl_file);
    for (const auto& site : sites) {
      auto* context = site.context.get();
      if (context != first) {
        // Whoever is chosen by name is also asked who is believed.
        SSL_CTX_set1_cert_store(context, SSL_CTX_get_cert_store(first));
        SSL_CTX_set_client_CA_list(context, SSL_dup_CA_list(SSL_CTX_get_client_CA_list(first)));
      }
      SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                         &tls::on_verified);
    }
  }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

TlsServer::TlsServer(TlsServerOptions options)
    : options_(std::move(options)),
      self_signed_(options_.certificates.empty() ? tls::make_self_signed(options_.self_signed_names)
                                                 : nullptr) {
  if (!options_.crl_file.empty() && options_.client_ca_file.empty()) {
    throw Error(Fault::bad_option, "crl_file: client_ca_file must say whose certificates");
  }
  reload();
}

void TlsServer::reload() {
  auto seen = look(options_);  // before reading: a change meanwhile is one to be seen
  std::uint64_t number = 0;
  {
    const std::scoped_lock lock{mutex_};
    seen_ = std::move(seen);
    number = ++begun_;
  }
  auto state = std::make_shared<const State>(options_, self_signed_.get());
  const std::scoped_lock lock{mutex_};
  if (number < loaded_) return;
  loaded_ = number;
  state_ = std::move(state);
}

bool TlsServer::files_changed() {
  const auto now = look(options_);
  const std::scoped_lock lock{mutex_};
  return now != seen_;
}

std::vector<std::string> TlsServer::certificates() const {
  const std::scoped_lock lock{mutex_};
  return state_->lines;
}

std::shared_ptr<SSL_CTX> TlsServer::context() const {
  const std::scoped_lock lock{mutex_};
  return {state_, state_->sites[0].context.get()};
}

}  // namespace hotline
