#pragma once

#include <hotline/net/stream.h>
#include <hotline/net/timer.h>

#include "http/handler_run.h"
#include "http/proxy_protocol.h"

namespace hotline::http {

class HostRule;
class Worker;

/// A connection that has not said yet whose it is (ServerOptions::proxy_protocol). Deletes itself
/// when it has, or has taken too long.
class ProxyPreface final : private Waiter,
                           private hotline::detail::Timer,
                           private hotline::detail::Drainable,
                           public AutoUnlink {
 public:
  /// `host_rule` outlives the connection.
  ProxyPreface(Worker& worker, StreamPointer stream, const HostRule& host_rule);
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
  const HostRule& host_rule_;
  ProxyHeaderReader reader_;
};

}  // namespace hotline::http
