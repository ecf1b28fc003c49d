#pragma once

#include <hotline/net/stream.h>
#include <hotline/net/timer.h>

#include "http/handler_run.h"
#include "http/host_rule.h"
#include "http/proxy_protocol.h"

namespace hotline::http {

class Worker;

/// A connection that has not said yet whose it is (ServerOptions::proxy_protocol). Deletes itself
/// when it has, or has taken too long.
class ProxyPreface final : private Waiter,
                           private hotline::detail::Timer,
                           private hotline::detail::Drainable,
                           public AutoUnlink {
 public:
  ProxyPreface(Worker& worker, StreamPointer stream, ConnectionRules rules);
  ProxyPreface(const ProxyPreface&) = delete;
  ProxyPreface& operator=(const ProxyPreface&) = delete;
  ~ProxyPreface();

  void start() noexcept { stream_->wait_readable(*this); }

 private:
  void ready() noexcept override;
  void receive() noexcept;
  void complete(std::string_view rest) noexcept;
  void expired() noexcept override;
  void drain() noexcept override;
  void refuse(std::string_view reason) noexcept;

  Worker& worker_;
  StreamPointer stream_;
  const ConnectionRules rules_;
  ProxyHeaderReader reader_;
};

}  // namespace hotline::http
