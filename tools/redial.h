#pragma once

#include <exception>

#include <hotline/base/clock.h>
#include <hotline/base/entropy.h>
#include <hotline/protocol/close_status.h>

namespace hotline::tools {

/// Whether and when `--reconnect` dials again: after half a second, then twice that, up to half a
/// minute, give or take a quarter, so that many who were cut off at once do not come back at once.
class Redial {
 public:
  /// `entropy` outlives it.
  explicit Redial(Entropy& entropy = system_entropy()) noexcept : entropy_(entropy) {}

  /// Whether another dial may fare better than one that has thrown this: not where the URL, the
  /// certificate or the permission is wrong.
  static bool may_help(const std::exception_ptr& failure);
  /// The same for a connection that we did not end: lost, or its server goes away.
  static bool may_help(const protocol::CloseStatus& status) noexcept;
  /// What the server has asked for in its refusal (Retry-After, in seconds; at most 5 minutes), or
  /// 0.
  static Duration asked_for(const std::exception_ptr& failure);

  /// The next wait, at least as long as that.
  Duration next(Duration at_least = Duration::zero()) noexcept;
  /// A connection stood: the next wait is the first again.
  void succeeded() noexcept { waits_ = 0; }

 private:
  Entropy& entropy_;
  unsigned waits_ = 0;
};

}  // namespace hotline::tools
