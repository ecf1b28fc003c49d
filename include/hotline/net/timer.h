#pragma once

#include <cstdint>

#include <hotline/base/clock.h>

namespace hotline {
class Loop;
}

namespace hotline::detail {

/// A deadline in a loop's timer tree, embedded in whoever waits for it: setting allocates nothing
/// and costs O(log n). Destroying it cancels.
class Timer {
 public:
  Timer() = default;
  Timer(const Timer&) = delete;
  Timer& operator=(const Timer&) = delete;

  bool is_set() const noexcept { return loop_ != nullptr; }
  /// Sets or moves the deadline. `expired` is called by the loop, never from inside this.
  void set(Loop& loop, TimePoint deadline) noexcept;
  void cancel() noexcept;
  TimePoint deadline() const noexcept { return deadline_; }

 protected:
  ~Timer() { cancel(); }
  /// The timer is no longer set when this is called; `this` may be destroyed in it.
  virtual void expired() noexcept = 0;

 private:
  friend class TimerQueue;
  friend struct TimerNodeTraits;

  Timer* parent_ = nullptr;
  Timer* left_ = nullptr;
  Timer* right_ = nullptr;
  Loop* loop_ = nullptr;
  TimePoint deadline_{};
  int color_ = 0;
};

/// Something in a loop that must hear of the drain, and of the loop's end: a wait, a session, a
/// connection. It may outlive the loop.
class Drainable {
 public:
  Drainable() = default;
  Drainable(const Drainable&) = delete;
  Drainable& operator=(const Drainable&) = delete;

 protected:
  ~Drainable() { leave(); }
  /// `this` may be destroyed in it.
  virtual void drain() noexcept = 0;
  /// The loop ends: what lives by itself, without an owner who destroys it, lets go of everything
  /// now. `this` may be destroyed in it. Afterwards the loop is not to be touched any more.
  virtual void abandon() noexcept {}
  void join(Loop& loop) noexcept;
  void leave() noexcept;

 private:
  friend class DrainList;
  Drainable* previous_ = nullptr;
  Drainable* next_ = nullptr;
};

}  // namespace hotline::detail
