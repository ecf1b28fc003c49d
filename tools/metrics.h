#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <hotline/http/observer.h>
#include <hotline/websocket/observer.h>

namespace hotline::tools {

/// Figures of a server, counted by each thread for itself, without locks, and summed up when they
/// are asked for.
class Metrics {
 public:
  Metrics() noexcept;
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  void connection_opened() noexcept;
  void connection_closed() noexcept;
  void connection_refused(std::string_view reason) noexcept;
  void request_ended(const http::RequestRecord& record) noexcept;

  void websocket_opened() noexcept;
  void websocket_ended(const protocol::CloseStatus& status) noexcept;
  void handshake_refused(std::string_view reason) noexcept;
  void round_trip(Duration duration) noexcept;
  /// The calling thread's own.
  websocket::Traffic& traffic() noexcept;

  /// What is not counted here.
  struct Figures {
    std::uint64_t backlog = 0;
    std::uint64_t lost_lines = 0;
    std::string_view version = {};
  };
  /// All of it, in the OpenMetrics format.
  std::string text(const Figures& figures) const;

 private:
  struct Shard;
  Shard& mine() noexcept;
  template <typename Read>
  std::uint64_t sum(const Read& read) const;

  const std::uint64_t number_;  // tells this from one that was at the same address before
  mutable std::mutex mutex_;    // guards the list, not what is in it
  std::vector<std::unique_ptr<Shard>> shards_;
};

}  // namespace hotline::tools
