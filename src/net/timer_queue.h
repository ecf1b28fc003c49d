#pragma once

#include <optional>

#include <boost/intrusive/rbtree_algorithms.hpp>

#include <hotline/net/timer.h>

namespace hotline::detail {

struct TimerNodeTraits {
  using node = Timer;
  using node_ptr = Timer*;
  using const_node_ptr = const Timer*;
  using color = int;
  static node_ptr get_parent(const_node_ptr n) { return n->parent_; }
  static void set_parent(node_ptr n, node_ptr p) { n->parent_ = p; }
  static node_ptr get_left(const_node_ptr n) { return n->left_; }
  static void set_left(node_ptr n, node_ptr l) { n->left_ = l; }
  static node_ptr get_right(const_node_ptr n) { return n->right_; }
  static void set_right(node_ptr n, node_ptr r) { n->right_ = r; }
  static color get_color(const_node_ptr n) { return n->color_; }
  static void set_color(node_ptr n, color c) { n->color_ = c; }
  static color black() { return 0; }
  static color red() { return 1; }
};

/// The timers of one loop, ordered by deadline. Nodes belong to those who wait.
class TimerQueue {
 public:
  TimerQueue() noexcept;
  TimerQueue(const TimerQueue&) = delete;
  TimerQueue& operator=(const TimerQueue&) = delete;
  /// Timers that are still set forget the loop.
  ~TimerQueue();

  void insert(Timer& timer) noexcept;
  void erase(Timer& timer) noexcept;
  std::optional<TimePoint> earliest() const noexcept;
  /// Takes out and tells every timer due at `now`, those set meanwhile excepted.
  void run(TimePoint now) noexcept;

 private:
  using Tree = boost::intrusive::rbtree_algorithms<TimerNodeTraits>;

  class Header final : public Timer {
    void expired() noexcept override {}
  };

  static void assign(Timer& timer, TimePoint deadline) noexcept { timer.deadline_ = deadline; }

  Header header_;
  TimePoint round_ = TimePoint::min();
};

}  // namespace hotline::detail
