#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <hotline/http/status.h>
#include <hotline/net/stream.h>
#include <hotline/net/timer.h>

#include "http/handler_run.h"
#include "http/host_rule.h"
#include "net/tls_stream.h"

namespace hotline::http {

class Worker;

/// A connection whose TLS handshake is under way (ServerOptions::tls). Until its first record is
/// there it costs no more than its bytes. Deletes itself when a session takes over, or it has
/// failed or taken too long.
class TlsPreface final : private Waiter,
                         private hotline::detail::Timer,
                         private hotline::detail::Drainable,
                         public AutoUnlink {
 public:
  /// `answer`: all that the client is told in the end.
  TlsPreface(Worker& worker, StreamPointer stream, ConnectionRules rules,
             std::optional<Status> answer);
  TlsPreface(const TlsPreface&) = delete;
  TlsPreface& operator=(const TlsPreface&) = delete;
  ~TlsPreface();

  /// `received`: what has come already.
  void start(std::string_view received) noexcept;

 private:
  void ready() noexcept override;
  void receive() noexcept;
  void look() noexcept;
  void handshake(bool readable) noexcept;
  void expired() noexcept override;
  void drain() noexcept override;
  void refuse(std::string_view reason) noexcept;

  Worker& worker_;
  StreamPointer stream_;  // until there is a record; then tls_ has it
  const ConnectionRules rules_;
  const std::optional<Status> answer_;
  std::string received_;
  std::shared_ptr<SSL_CTX> context_;  // of this handshake: another may come meanwhile
  TlsStream::Pointer tls_;
};

}  // namespace hotline::http
