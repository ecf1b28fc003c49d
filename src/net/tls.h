#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include <hotline/base/task.h>
#include <hotline/net/stream.h>
#include <hotline/net/tls_info.h>
#include <hotline/net/tls_options.h>

struct ssl_ctx_st;
using SSL_CTX = ssl_ctx_st;

namespace hotline {

namespace tls {
struct SelfSigned;
}

/// What TLS clients of the same options share, and the sessions that can be resumed. For any
/// thread.
class TlsClient {
 public:
  /// Throws Error (bad_option) that names the option and the file.
  explicit TlsClient(const TlsClientOptions& options);
  TlsClient(const TlsClient&) = delete;
  TlsClient& operator=(const TlsClient&) = delete;

  SSL_CTX* context() const noexcept { return context_.get(); }
  /// What is dialled for, if not the name.
  const std::string& server_name() const noexcept { return server_name_; }
  bool verifies() const noexcept { return verifies_; }

 private:
  std::shared_ptr<SSL_CTX> context_;
  std::string server_name_;
  bool verifies_;
};

std::shared_ptr<const TlsClient> make_tls_client(const TlsClientOptions& options);

/// The handshake as a client, over any stream of this thread's loop. `name` is asked for (SNI) and
/// is what the certificate must be for; an IP literal is not asked for. Throws Error: one of
/// Condition::certificate_rejected, with a sentence that says what is wrong with it; tls_failed,
/// where the two do not come together; the inner stream's own. There is no time limit (deadline()).
///
/// Takes up an earlier session with the same client, name and port, if the server still knows of
/// it.
Task<StreamPointer> tls_connect(StreamPointer inner, std::shared_ptr<const TlsClient> client,
                                std::string name, std::uint16_t port = 0);

/// Why a stream of tls_connect has failed with EPROTO: "the peer says: certificate required"; "" if
/// it has not, or is none.
std::string tls_failure(const Stream& stream);

/// What TLS servers of the same options share: certificates, keys of the sessions that can be
/// resumed. For any thread.
class TlsServer {
 public:
  /// Reads the files. Throws Error (bad_option) that names the option and the file.
  explicit TlsServer(TlsServerOptions options);
  TlsServer(const TlsServer&) = delete;
  TlsServer& operator=(const TlsServer&) = delete;

  /// Reads the files again; for handshakes to come. Where it throws, nothing has changed. Of
  /// several at the same time the last that was begun counts.
  void reload();
  /// Whether a file has been changed or replaced since it was read last, or was found broken.
  bool files_changed();
  /// Who it is, for the log: of each pair names, when it ends, and the fingerprint; a line each.
  std::vector<std::string> certificates() const;

  std::shared_ptr<SSL_CTX> context() const;

 private:
  struct State;

  const TlsServerOptions options_;
  const std::shared_ptr<const tls::SelfSigned> self_signed_;
  mutable std::mutex mutex_;
  std::shared_ptr<const State> state_;
  std::uint64_t begun_ = 0;   // reloads
  std::uint64_t loaded_ = 0;  // the one that state_ is of
  std::string seen_;          // of the files, when they were read last
};

}  // namespace hotline
