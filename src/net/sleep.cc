#include <hotline/net/sleep.h>

#include <hotline/base/error.h>
#include <hotline/net/deadline.h>

#include "net/loop.h"

namespace hotline {

TimePoint detail::deadline_after(Loop& loop, Duration duration) noexcept {
  const auto now = loop.now();
  return duration > TimePoint::max() - now ? TimePoint::max() : now + duration;
}

bool Sleep::begin() {
  auto& loop = Loop::require();
  if (loop.draining()) {
    cancelled_ = true;
    return false;
  }
  join(loop);
  set(loop, detail::deadline_after(loop, duration_));
  return true;
}

void Sleep::await_resume() const {
  if (cancelled_) throw Cancelled();
}

void Sleep::expired() noexcept {
  leave();
  resumption_.resume();
}

void Sleep::drain() noexcept {
  cancelled_ = true;
  leave();
  cancel();
  resumption_.resume();
}

}  // namespace hotline
