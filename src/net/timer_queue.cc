#include "net/timer_queue.h"

namespace hotline::detail {
namespace {

constexpr auto earlier = [](const Timer* a, const Timer* b) {
  return a->deadline() < b->deadline();
};

}  // namespace

TimerQueue::TimerQueue() noexcept { Tree::init_header(&header_); }

TimerQueue::~TimerQueue() {
  while (header_.left_ != &header_) {
    auto* timer = header_.left_;
    erase(*timer);
    timer->loop_ = nullptr;
  }
  Tree::init(&header_);
}

void TimerQueue::insert(Timer& timer) noexcept {
  // Behind the marker of the round under way, however long ago the deadline was.
  if (timer.deadline_ < round_) timer.deadline_ = round_;
  Tree::insert_equal_upper_bound(&header_, &timer, earlier);
}

void TimerQueue::erase(Timer& timer) noexcept {
  Tree::erase(&header_, &timer);
  Tree::init(&timer);
}

std::optional<TimePoint> TimerQueue::earliest() const noexcept {
  // The header's left child is the leftmost node.
  if (header_.left_ == &header_) return std::nullopt;
  return header_.left_->deadline_;
}

void TimerQueue::run(TimePoint now) noexcept {
  // A timer that is set in a callback, to a time already past, must not keep the loop here: the
  // marker ends the round behind what was due when it began.
  class Marker final : public Timer {
   public:
    explicit Marker(TimePoint deadline) { TimerQueue::assign(*this, deadline); }
    void expired() noexcept override {}
  };
  Marker marker{now};
  insert(marker);
  round_ = now;
  while (header_.left_ != &marker) {
    auto* timer = header_.left_;
    erase(*timer);
    timer->loop_ = nullptr;
    timer->expired();
  }
  erase(marker);
}

}  // namespace hotline::detail
