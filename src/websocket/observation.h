#pragma once

#include <string>

#include <hotline/websocket/observer.h>

namespace hotline::websocket {

/// The account of one connection that is observed. It stands apart from the connection, so that
/// others pay for it with one pointer.
class Observation {
 public:
  static constexpr std::size_t most_target = 256;

  /// The observer outlives this.
  Observation(ConnectionObserver& observer, std::string_view target, const Address& client,
              TimePoint now);
  Observation(const Observation&) = delete;
  Observation& operator=(const Observation&) = delete;

  std::string_view target() const noexcept { return target_; }
  const Address& client() const noexcept { return client_; }

  /// A message; or a piece of one, of which `messages` is 0 until the last.
  void received(std::size_t size, unsigned messages = 1) noexcept {
    messages_received_ += messages;
    bytes_received_ += size;
    if (!traffic_) return;
    Traffic::add(traffic_->messages_received, messages);
    Traffic::add(traffic_->bytes_received, size);
  }
  void sent(std::size_t size, unsigned messages = 1) noexcept {
    messages_sent_ += messages;
    bytes_sent_ += size;
    if (!traffic_) return;
    Traffic::add(traffic_->messages_sent, messages);
    Traffic::add(traffic_->bytes_sent, size);
  }

  /// A keepalive ping has gone; its pong has come. (Others are measured by those who await them.)
  void pinged(std::uint64_t number, TimePoint now) noexcept {
    ping_number_ = number;
    pinged_at_ = now;
  }
  void ponged(std::uint64_t number, TimePoint now) noexcept;
  void round_trip(Duration duration) noexcept { observer_.round_trip(duration); }

  void opened(const ConnectionFacts& facts) noexcept { observer_.opened(facts); }
  void ended(const ConnectionFacts& facts, const protocol::CloseStatus& status,
             TimePoint now) noexcept;

 private:
  ConnectionObserver& observer_;
  Traffic* traffic_;
  TimePoint opened_at_;
  std::uint64_t messages_received_ = 0;
  std::uint64_t bytes_received_ = 0;
  std::uint64_t messages_sent_ = 0;
  std::uint64_t bytes_sent_ = 0;
  std::uint64_t ping_number_ = 0;  // 0: none is under way
  TimePoint pinged_at_{};
  Address client_;
  std::string target_;
};

}  // namespace hotline::websocket
