#pragma once

#include <stop_token>

#include <hotline/base/task.h>
#include <hotline/net/timer.h>

namespace hotline {

/// Tells work outside of the loop that nobody wants it any more: a long computation on another
/// thread (Offload), a library that takes a std::stop_token. A local variable of a handler:
///
///     hotline::StopSource stop;
///     hotline::Offload search{[token = stop.token()] { return find_primes(token); }};
///     const auto primes = co_await search;
///
/// Stop is requested when the server drains or stops; when the handler ends, or is cancelled
/// because its client has hung up (this is destroyed then); and by request(). What waits on the
/// loop needs none of it: a read gives nullopt, other waits throw Cancelled.
///
/// The token goes to any thread and outlives this. Callbacks of it are called by the loop's thread,
/// and must not block.
class StopSource final : private detail::Drainable, private detail::ChainOwner {
 public:
  /// On a loop's thread; else throws Error (no_runtime).
  StopSource();
  StopSource(const StopSource&) = delete;
  StopSource& operator=(const StopSource&) = delete;
  ~StopSource() { request(); }

  std::stop_token token() const noexcept { return source_.get_token(); }
  void request() noexcept { source_.request_stop(); }
  bool is_requested() const noexcept { return source_.stop_requested(); }

  /// Requests stop also when this connection has ended: what has closed(), and outlives this. A
  /// message that nobody reads hides the end behind it: see Connection::closed().
  template <typename Connection>
  void follow(Connection& connection) {
    chain_.reset();
    chain_.start(wait_for(connection, source_), *this);
  }

 private:
  template <typename Connection>
  static Task<> wait_for(Connection& connection, std::stop_source source) {
    auto closed = connection.closed();
    co_await closed;
    source.request_stop();
  }

  void drain() noexcept override { request(); }
  void abandon() noexcept override { request(); }
  void chain_finished() noexcept override { chain_.reset(); }

  std::stop_source source_;
  detail::Chain chain_;
};

}  // namespace hotline
