#include <utility>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <hotline/base/error.h>

#include "net/loop.h"
#include "net/stream_wait.h"
#include "net/tls.h"
#include "net/tls_context.h"
#include "net/tls_sessions.h"
#include "net/tls_stream.h"
#include "net/tls_verify.h"

namespace hotline {
namespace {

// Gives the name that is verified.
std::string expect(const TlsStream& stream, const TlsClient& client, std::string name) {
  if (!client.server_name().empty()) name = client.server_name();
  if (name.starts_with('[') && name.ends_with(']')) name = name.substr(1, name.size() - 2);
  if (name.ends_with('.')) name.pop_back();
  auto* ssl = stream.ssl();
  auto* parameters = SSL_get0_param(ssl);
  const bool is_address = Address::parse(name, 0).has_value();
  int good = 1;
  if (is_address) {
    good = X509_VERIFY_PARAM_set1_ip_asc(parameters, name.c_str());
  } else {
    X509_VERIFY_PARAM_set_hostflags(
        parameters, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
    // An empty name would be no check at all, one that begins with a dot one for any below it.
    good = !name.empty() && name[0] != '.' &&
           X509_VERIFY_PARAM_set1_host(parameters, name.data(), name.size()) == 1 &&
           SSL_set_tlsext_host_name(ssl, name.c_str()) == 1;
  }
  if (good == 1) return name;
  ERR_clear_error();
  throw Error(Fault::bad_option, "\"" + escaped(name) + "\" is no name that TLS can ask for");
}

}  // namespace

TlsClient::TlsClient(const TlsClientOptions& options)
    : context_(tls::make_context(TLS_client_method())),
      server_name_(options.server_name),
      verifies_(!options.dangerously_accept_any_certificate) {
  auto* context = context_.get();
  if (options.certificate_file.empty() != options.key_file.empty()) {
    throw Error(Fault::bad_option, "certificate_file and key_file: both or neither");
  }
  if (!options.certificate_file.empty()) {
    tls::use_pair(context, tls::read_pair(options.certificate_file, options.key_file));
  }
  if (verifies_) {
    if (!options.ca_file.empty()) {
      tls::trust(context, "ca_file", options.ca_file);
    } else {
      SSL_CTX_set_default_verify_paths(context);
    }
    if (!options.crl_file.empty()) tls::revoke(context, options.crl_file);
  }
  SSL_CTX_set_verify(context, verifies_ ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                     verifies_ ? &tls::on_verified : nullptr);
  static constexpr unsigned char protocols[] = "\x08http/1.1";
  SSL_CTX_set_alpn_protos(context, protocols, sizeof protocols - 1);
  tls::Sessions::make(context);
}

std::shared_ptr<const TlsClient> make_tls_client(const TlsClientOptions& options) {
  return std::make_shared<const TlsClient>(options);
}

Task<StreamPointer> tls_connect(StreamPointer inner, std::shared_ptr<const TlsClient> client,
                                std::string name, std::uint16_t port) {
  auto made = TlsStream::make(Loop::require(), std::move(inner), client->context(),
                              TlsStream::Role::client);
  auto& secured = *made;
  StreamPointer stream{std::move(made)};
  name = expect(secured, *client, std::move(name));
  tls::resume(secured.ssl(), name + ':' + std::to_string(port));
  bool readable = false;
  for (;;) {
    const auto progress = secured.handshake(readable);
    if (progress == TlsStream::Progress::done) {
      tls::keep_resumed(secured.ssl());
      break;
    }
    if (progress == TlsStream::Progress::failed) {
      if (!secured.failure().empty()) throw Error(secured.fault(), secured.failure());
      throw Error({secured.inner_error(), std::system_category()}, "in the TLS handshake");
    }
    StreamWait wait{stream, StreamWait::readable};
    co_await wait;
    readable = true;
  }
  co_return stream;
}

std::string tls_failure(const Stream& stream) {
  const auto* tls = dynamic_cast<const TlsStream*>(&stream);
  return tls ? tls->failure() : std::string{};
}

}  // namespace hotline
