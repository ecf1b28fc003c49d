#include "net/stream_wait.h"

#include <hotline/base/error.h>

#include "net/loop.h"

namespace hotline {

bool StreamWait::begin() {
  auto& loop = Loop::require();
  if (loop.draining()) {
    cancelled_ = true;
    return false;
  }
  join(loop);
  waiting_ = true;
  if (direction_ == readable) {
    stream_->wait_readable(*this);
  } else {
    stream_->wait_writable(*this);
  }
  return true;
}

void StreamWait::stop() noexcept {
  leave();
  if (std::exchange(waiting_, false)) stream_->cancel_wait(*this);
}

void StreamWait::await_resume() const {
  if (cancelled_) throw Cancelled();
}

void StreamWait::ready() noexcept {
  waiting_ = false;
  leave();
  resumption_.resume();
}

void StreamWait::drain() noexcept {
  stop();
  cancelled_ = true;
  resumption_.resume();
}

// The task that waits will be destroyed later, its stream must not.
void StreamWait::abandon() noexcept {
  stop();
  stream_.reset();
}

}  // namespace hotline
