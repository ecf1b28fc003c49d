#include "net/poll_list.h"

#include <utility>

#include "net/loop.h"
#include "net/tcp_stream.h"

namespace hotline {

PollList::PollList(Loop& loop) : loop_(loop), self_(std::make_shared<PollList*>(this)) {}

bool PollList::add(TcpStream& stream) noexcept {
  if (!*self_) return false;
  added_.push_back({&stream, told_});
  post();
  return true;
}

void PollList::post() noexcept {
  if (std::exchange(posted_, true)) return;
  boost::asio::post(loop_.context(), [self = self_] {
    if (*self) (*self)->run();
  });
}

// Whoever is called may stop the loop, or have it run by poll() or poll_one() (of the others Asio
// warns, in a handler): so nothing is to be done behind a call.
void PollList::run() noexcept {
  posted_ = false;
  for (std::size_t count = 0; count < batch; ++count) {
    if (next_ == due_.size()) {
      // Those that are added while this runs come behind the others' turn.
      if (count > 0) return;
      due_.clear();
      next_ = 0;
      std::swap(due_, added_);
      if (due_.empty()) return;
    }
    if (count > 0 && loop_.context().stopped()) return;
    const auto entry = due_[next_++];
    if (next_ < due_.size() || !added_.empty()) post();
    entry.stream->polled(told_ - entry.told >= company);
  }
}

void PollList::abandon() noexcept {
  *self_ = nullptr;
  for (; next_ < due_.size(); ++next_) due_[next_].stream->poll_abandoned();
  for (const auto& entry : std::exchange(added_, {})) entry.stream->poll_abandoned();
}

}  // namespace hotline
