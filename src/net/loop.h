#pragma once

#include <functional>
#include <memory>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include <hotline/base/clock.h>
#include <hotline/base/entropy.h>
#include <hotline/base/logger.h>
#include <hotline/net/timer.h>

#include "net/block_pool.h"
#include "net/cork.h"
#include "net/mailbox.h"
#include "net/poll_list.h"
#include "net/timer_queue.h"

namespace hotline {

namespace detail {

/// Everything of one loop that must hear of a drain, and of the loop's end.
class DrainList {
 public:
  DrainList() = default;
  DrainList(const DrainList&) = delete;
  DrainList& operator=(const DrainList&) = delete;
  /// Members that are still there forget the list.
  ~DrainList();

  void add(Drainable& member) noexcept;
  /// Tells every member once; members may leave, join and be destroyed meanwhile.
  void drain() noexcept;
  /// The same with abandon(); those that join meanwhile are told, too.
  void abandon() noexcept;
  bool empty() const noexcept { return head_.next_ == nullptr; }

 private:
  class Head final : public Drainable {
    void drain() noexcept override {}
  };
  static void add_to(Drainable& head, Drainable& member) noexcept;
  static void move(Drainable& from, Drainable& to) noexcept;

  Head head_;
  Head untold_;  // during a drain
};

}  // namespace detail

struct LoopOptions {
  std::shared_ptr<Logger> logger;  // null: stderr_logger()
  Clock* clock = nullptr;          // null: steady_clock(); it outlives the loop
  Entropy* entropy = nullptr;      // null: system_entropy(); it outlives the loop
};

class OffloadPool;

/// One thread's loop: an io_context, and what its connections share. Everything is for the loop's
/// own thread, except post() and stop().
///
/// What lives by itself on a loop (a connection that is closing, say) ends with it. Streams that
/// others own are released before; suspended coroutines may be destroyed later.
class Loop {
 public:
  explicit Loop(LoopOptions options = {});
  /// In an io_context that somebody else runs, on one thread, and not after this loop has gone.
  Loop(boost::asio::io_context& context, LoopOptions options);
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  ~Loop();

  /// The loop that runs on this thread just now, or null.
  static Loop* current() noexcept { return current_; }
  /// The same; throws Error (no_runtime) where there is none.
  static Loop& require();

  /// Runs until stop(). Makes itself the thread's current loop.
  void run();
  /// Runs what is ready, and returns when nothing more is; for tests and virtual clocks.
  void run_ready();
  void stop() noexcept;

  template <typename Function>
  void post(Function function);

  boost::asio::io_context& context() noexcept { return context_; }
  BlockPool& blocks() noexcept { return blocks_; }
  Cork& cork() noexcept { return cork_; }
  PollList& polls() noexcept { return polls_; }
  Clock& clock() noexcept { return clock_; }
  TimePoint now() const noexcept { return clock_.now(); }
  Entropy& entropy() noexcept { return entropy_ ? *entropy_ : system_entropy(); }
  Logger& logger() noexcept { return *logger_; }
  const std::shared_ptr<Logger>& shared_logger() const noexcept { return logger_; }
  OffloadPool& offload_pool();
  /// What other threads may write to; it outlives the loop.
  const std::shared_ptr<Mailbox>& mailbox() const noexcept { return mailbox_; }

  /// Logs, if `level` is enabled; `line()` makes the text.
  template <typename Line>
  void log(LogLevel level, const Line& line) noexcept {
    if (logger_->enabled(level)) logger_->write(level, line());
  }

  // Timers (detail::Timer calls these)
  void add_timer(detail::Timer& timer) noexcept;
  void remove_timer(detail::Timer& timer) noexcept;
  /// Runs the timers that are due, as the system timer does: for virtual clocks, after an advance.
  void run_timers() noexcept;
  std::optional<TimePoint> next_deadline() const noexcept { return timers_.earliest(); }

  // Draining
  bool draining() const noexcept { return draining_; }
  detail::DrainList& members() noexcept { return members_; }
  /// Tells everybody. `jitter`: what may take some time, spreads over that.
  void drain(Duration jitter = {}) noexcept;
  /// Whether a drain is under way that spreads; then how long a member is to wait, at random,
  /// before it tells its peer.
  bool spreads_drain() const noexcept { return draining_ && drain_jitter_ > Duration{}; }
  Duration drain_delay() noexcept;
  /// What lives by itself on this loop lets go of everything. For a loop that will not run any
  /// more, whose coroutines have been destroyed; the destructor does it, too. New waits are
  /// cancelled, as in a drain.
  void abandon_members() noexcept;

  // Connections, counted so that a drain knows when all have gone.
  void connection_opened() noexcept { ++connections_; }
  void connection_closed() noexcept;
  std::size_t connections() const noexcept { return connections_; }
  /// Called (once, posted) when the number of connections falls to zero.
  void when_empty(std::function<void()> callback);

 private:
  friend class Turn;

  void arm() noexcept;
  void on_system_timer() noexcept;

  static constinit thread_local Loop* current_;

  std::shared_ptr<Logger> logger_;
  Clock& clock_;
  Entropy* entropy_;
  BlockPool blocks_;
  Cork cork_;
  PollList polls_{*this};
  detail::TimerQueue timers_;
  detail::DrainList members_;
  TimePoint armed_ = TimePoint::max();
  bool running_timers_ = false;
  bool draining_ = false;
  Duration drain_jitter_{};
  std::size_t connections_ = 0;
  std::function<void()> when_empty_;
  std::shared_ptr<Mailbox> mailbox_ = std::make_shared<Mailbox>(*this);

  using SystemTimer =
      boost::asio::basic_waitable_timer<std::chrono::steady_clock,
                                        boost::asio::wait_traits<std::chrono::steady_clock>,
                                        boost::asio::io_context::executor_type>;
  // Last, so that functions posted and never run are destroyed while the rest is still there.
  std::unique_ptr<boost::asio::io_context> own_context_;
  boost::asio::io_context& context_;
  SystemTimer system_timer_;
  std::unique_ptr<OffloadPool> offload_pool_;
};

/// Around every entry from the loop. The outermost one flushes the cork at its end: what handlers
/// wrote is on the wire before the loop goes on.
class Turn {
 public:
  explicit Turn(Loop& loop) noexcept : loop_(loop), before_(Loop::current_) {
    loop_.cork_.enter();
    Loop::current_ = &loop_;
  }
  Turn(const Turn&) = delete;
  Turn& operator=(const Turn&) = delete;
  ~Turn() {
    loop_.cork_.leave();
    Loop::current_ = before_;
  }

  static bool is_open(const Loop& loop) noexcept { return loop.cork_.in_turn(); }

 private:
  Loop& loop_;
  Loop* before_;
};

template <typename Function>
void Loop::post(Function function) {
  boost::asio::post(context_, [this, function = std::move(function)]() mutable {
    Turn turn{*this};
    function();
  });
}

}  // namespace hotline
