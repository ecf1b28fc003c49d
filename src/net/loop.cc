#include "net/loop.h"

#include <boost/asio/executor_work_guard.hpp>

#include <hotline/base/error.h>

#include "net/asio_bridge.h"
#include "net/offload_pool.h"

namespace hotline {
namespace detail {

DrainList::~DrainList() {
  // Owners may be destroyed after the loop.
  while (auto* member = head_.next_) member->leave();
}

void DrainList::add_to(Drainable& head, Drainable& member) noexcept {
  member.previous_ = &head;
  member.next_ = head.next_;
  if (head.next_) head.next_->previous_ = &member;
  head.next_ = &member;
}

void DrainList::move(Drainable& from, Drainable& to) noexcept {
  to.next_ = std::exchange(from.next_, nullptr);
  if (to.next_) to.next_->previous_ = &to;
}

void DrainList::add(Drainable& member) noexcept { add_to(head_, member); }

void DrainList::drain() noexcept {
  // Those present move to a list of their own, from which each returns before it is told: whatever
  // joins, leaves or dies meanwhile, nobody is told twice and nobody is missed.
  if (untold_.next_) return;
  move(head_, untold_);
  while (auto* member = untold_.next_) {
    member->leave();
    add(*member);
    member->drain();
  }
}

void DrainList::abandon() noexcept {
  // Those that have been told stand aside, so that the list is empty when everybody has.
  Head told;
  while (auto* member = head_.next_) {
    member->leave();
    add_to(told, *member);
    member->abandon();
  }
  move(told, head_);
}

void Drainable::join(Loop& loop) noexcept {
  if (!previous_) loop.members().add(*this);
}

void Drainable::leave() noexcept {
  if (!previous_) return;
  previous_->next_ = next_;
  if (next_) next_->previous_ = previous_;
  previous_ = next_ = nullptr;
}

void Timer::set(Loop& loop, TimePoint deadline) noexcept {
  cancel();
  loop_ = &loop;
  deadline_ = deadline;
  loop.add_timer(*this);
}

void Timer::cancel() noexcept {
  if (auto* loop = std::exchange(loop_, nullptr)) loop->remove_timer(*this);
}

}  // namespace detail

constinit thread_local Loop* Loop::current_ = nullptr;

Loop::Loop(LoopOptions options)
    : logger_(options.logger ? std::move(options.logger) : stderr_logger()),
      clock_(options.clock ? *options.clock : steady_clock()),
      entropy_(options.entropy),
      own_context_(std::make_unique<boost::asio::io_context>(1)),
      context_(*own_context_),
      system_timer_(context_) {
  detail::LoopService::of(context_).add(*this);
}

Loop::Loop(boost::asio::io_context& context, LoopOptions options)
    : logger_(options.logger ? std::move(options.logger) : stderr_logger()),
      clock_(options.clock ? *options.clock : steady_clock()),
      entropy_(options.entropy),
      context_(context),
      system_timer_(context_) {
  detail::LoopService::of(context_).add(*this);
}

Loop::~Loop() {
  mailbox_->close();
  detail::LoopService::of(context_).remove(*this);
  // Work that was handed to other threads ends first, since it posts its results here.
  offload_pool_.reset();
  abandon_members();
  polls_.abandon();
}

Loop& Loop::require() {
  if (!current_) throw Error(Fault::no_runtime);
  return *current_;
}

void Loop::run() {
  auto work = boost::asio::make_work_guard(context_);
  // Callbacks may throw.
  struct Current {
    explicit Current(Loop* loop) : before(std::exchange(current_, loop)) {}
    ~Current() { current_ = before; }
    Loop* before;
  } const current{this};
  context_.run();
}

void Loop::run_ready() {
  auto* before = std::exchange(current_, this);
  context_.restart();
  while (context_.poll() > 0) {
  }
  current_ = before;
}

void Loop::stop() noexcept { context_.stop(); }

OffloadPool& Loop::offload_pool() {
  if (!offload_pool_) offload_pool_ = std::make_unique<OffloadPool>();
  return *offload_pool_;
}

void Loop::add_timer(detail::Timer& timer) noexcept {
  timers_.insert(timer);
  if (timer.deadline() < armed_) arm();
}

void Loop::remove_timer(detail::Timer& timer) noexcept {
  // The system timer stays as it is: it will find nothing due, which costs less than setting it
  // anew.
  timers_.erase(timer);
  // Somebody else's context may want to end when there is nothing more to wait for.
  if (own_context_ || armed_ == TimePoint::max() || timers_.earliest()) return;
  armed_ = TimePoint::max();
  system_timer_.cancel();
}

void Loop::arm() noexcept {
  if (running_timers_ || clock_.is_virtual()) return;
  const auto earliest = timers_.earliest();
  if (!earliest || *earliest >= armed_) return;
  armed_ = *earliest;
  system_timer_.expires_at(armed_);  // cancels the wait before, if any
  system_timer_.async_wait([this](const boost::system::error_code& error) {
    if (!error) on_system_timer();
  });
}

void Loop::on_system_timer() noexcept {
  armed_ = TimePoint::max();
  run_timers();
}

void Loop::run_timers() noexcept {
  {
    Turn turn{*this};
    running_timers_ = true;
    timers_.run(clock_.now());
    running_timers_ = false;
  }
  arm();
}

void Loop::drain(Duration jitter) noexcept {
  Turn turn{*this};
  draining_ = true;
  drain_jitter_ = jitter;
  members_.drain();
}

Duration Loop::drain_delay() noexcept {
  if (!spreads_drain()) return {};
  const auto range = static_cast<std::uint64_t>(drain_jitter_.count());
  return Duration{static_cast<Duration::rep>(entropy().number() % range)};
}

void Loop::abandon_members() noexcept {
  Turn turn{*this};
  draining_ = true;
  members_.abandon();
}

void Loop::connection_closed() noexcept {
  if (--connections_ != 0 || !when_empty_) return;
  // One that is handed over ends for a moment, before whoever takes it counts it again.
  post([this] {
    if (connections_ == 0 && when_empty_) std::exchange(when_empty_, nullptr)();
  });
}

void Loop::when_empty(std::function<void()> callback) {
  if (connections_ == 0) {
    post(std::move(callback));
  } else {
    when_empty_ = !when_empty_ ? std::move(callback)
                               : [before = std::move(when_empty_), then = std::move(callback)] {
                                   before();
                                   then();
                                 };
  }
}

}  // namespace hotline
