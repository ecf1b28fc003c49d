#include <hotline/net/sleep.h>

#include <hotline/base/error.h>

#include "net/loop.h"

namespace hotline {

bool Sleep::begin() {
  auto& loop = Loop::require();
  if (loop.draining()) {
    cancelled_ = true;
    return false;
  }
  join(loop);
  set(loop, loop.now() + duration_);
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
