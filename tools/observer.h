#pragma once

#include <functional>
#include <memory>

#include <hotline/http/observer.h>
#include <hotline/websocket/observer.h>

#include "tools/access_log.h"
#include "tools/metrics.h"

namespace hotline::tools {

/// Passes on what a server and its connections tell, to the access log and to the figures.
class Observer final : public http::ServerObserver, public websocket::ConnectionObserver {
 public:
  explicit Observer(AccessLog log) : log_(std::move(log)) {}

  const Metrics& metrics() const noexcept { return metrics_; }
  /// Called when a drain begins, on the thread that begins it. Set before the server runs.
  void on_drain(std::function<void()> callback) { on_drain_ = std::move(callback); }

  void request_ended(const http::RequestRecord& record) noexcept override {
    metrics_.request_ended(record);
    log_.request_ended(record);
  }
  void connection_opened(const Address&) noexcept override { metrics_.connection_opened(); }
  void connection_closed(const Address&) noexcept override { metrics_.connection_closed(); }
  void connection_refused(std::string_view reason, const Address&) noexcept override {
    metrics_.connection_refused(reason);
  }
  void drain_began() noexcept override {
    if (on_drain_) on_drain_();
  }

  void opened(const websocket::ConnectionFacts&) noexcept override { metrics_.websocket_opened(); }
  void ended(const websocket::ConnectionRecord& record) noexcept override {
    metrics_.websocket_ended(record.status);
    log_.ended(record);
  }
  void refused(const websocket::HandshakeRefusal& refusal) noexcept override {
    metrics_.handshake_refused(refusal.reason);
  }
  void round_trip(Duration duration) noexcept override { metrics_.round_trip(duration); }
  websocket::Traffic* traffic() noexcept override { return &metrics_.traffic(); }

 private:
  Metrics metrics_;
  AccessLog log_;
  std::function<void()> on_drain_;
};

}  // namespace hotline::tools
