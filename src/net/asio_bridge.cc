#include "net/asio_bridge.h"

#include <boost/asio/strand.hpp>

#include <hotline/asio_start.h>
#include <hotline/asio_use_task.h>
#include <hotline/base/failing.h>

#include "net/loop.h"

namespace hotline {

boost::asio::io_context& this_loop_context() { return Loop::require().context(); }

namespace detail {

// Awaiting an operation

AsioLinkPointer AsioWait::begin() {
  auto& loop = Loop::require();
  if (loop.draining()) {
    cancelled_ = true;
    return nullptr;
  }
  loop_ = &loop;
  link_ = std::make_shared<AsioLink>(loop.context(), *this);
  return link_;
}

bool AsioWait::suspend(Resumption resumption) noexcept {
  if (!link_ || !link_->wait) return false;  // nothing begun, or completed inside the initiation
  if (loop_->draining()) {
    cancelled_ = true;
    let_go();
    return false;
  }
  resumption_ = resumption;
  join(*loop_);
  return true;
}

void AsioWait::completed() noexcept {
  link_->wait = nullptr;
  leave();
  if (!resumption_) return;
  Turn turn{*loop_};
  resumption_.resume();
}

void AsioWait::drain() noexcept {
  cancelled_ = true;
  leave();
  let_go();
  resumption_.resume();
}

// The loop ends, and perhaps its io_context; the task that waits will be destroyed later.
void AsioWait::abandon() noexcept {
  leave();
  let_go();
}

void AsioWait::let_go() noexcept {
  if (!link_ || !link_->wait) return;
  // The operation may end inside the emission, and take the last handler with it.
  const auto link = link_;
  link->wait = nullptr;
  link->cancel.emit(boost::asio::cancellation_type::terminal);
}

void throw_asio_error(std::error_code code) { throw Error(code, "an Asio operation"); }

// Starting a task

boost::asio::io_context& context_of(const boost::asio::any_io_executor& executor) {
  using Plain = boost::asio::io_context::executor_type;
  using Working = std::decay_t<decltype(boost::asio::require(
      std::declval<Plain>(), boost::asio::execution::outstanding_work.tracked))>;
  const auto context = boost::asio::execution::context;
  if (const auto* plain = executor.target<Plain>()) return boost::asio::query(*plain, context);
  if (const auto* working = executor.target<Working>()) {
    return boost::asio::query(*working, context);
  }
  // On one thread a strand changes nothing.
  if (const auto* strand = executor.target<boost::asio::strand<Plain>>()) {
    return boost::asio::query(strand->get_inner_executor(), context);
  }
  using Any = boost::asio::any_io_executor;
  if (const auto* strand = executor.target<boost::asio::strand<Any>>()) {
    return context_of(strand->get_inner_executor());
  }
  throw Error(Fault::no_runtime, "the executor is not that of an io_context");
}

namespace {

// Leaving a task by Cancelled is an ordinary ending.
bool is_failure(const std::exception_ptr& exception) noexcept {
  if (!exception) return false;
  try {
    std::rethrow_exception(exception);
  } catch (const Cancelled&) {
    return false;
  } catch (...) {
    return true;
  }
}

}  // namespace

StartedTask::StartedTask(boost::asio::io_context& context)
    : context_(context), work_(context.get_executor()) {}

void StartedTask::launch() {
  boost::asio::post(context_, [self = shared_from_this()] { self->begin(); });
}

void StartedTask::begin() {
  if (ended_) return;
  auto& service = LoopService::of(context_);
  loop_ = &service.loop(context_);
  service.keep(shared_from_this());
  Turn turn{*loop_};
  start(chain_);
}

void StartedTask::chain_finished() noexcept {
  const auto self = shared_from_this();
  failed_ = chain_ && is_failure(chain_.exception());
  keep_result(chain_);
  end();
}

void StartedTask::cancel() {
  boost::asio::dispatch(context_, [self = shared_from_this()] {
    if (self->ended_) return;
    self->take_exception(std::make_exception_ptr(Cancelled()));
    self->end();
  });
}

void StartedTask::end() noexcept {
  ended_ = true;
  if (loop_) {
    Turn turn{*loop_};
    LoopService::of(context_).forget(*this);
    failed_chain_ends = failed_;
    chain_.reset();
    failed_chain_ends = false;
  }
  complete();
  work_.reset();
}

void StartedTask::drop() noexcept {
  ended_ = true;
  Turn turn{*loop_};
  chain_.reset();
}

boost::asio::execution_context::id LoopService::id;

LoopService::LoopService(boost::asio::execution_context& context)
    : boost::asio::execution_context::service(context) {}

LoopService::~LoopService() = default;

LoopService& LoopService::of(boost::asio::io_context& context) {
  return boost::asio::use_service<LoopService>(context);
}

void LoopService::add(Loop& loop) noexcept {
  if (!loop_) loop_ = &loop;
}

void LoopService::remove(Loop& loop) noexcept {
  if (loop_ != &loop) return;
  drop_tasks();
  loop_ = nullptr;
}

Loop& LoopService::loop(boost::asio::io_context& context) {
  if (!loop_) own_ = std::make_unique<Loop>(context, LoopOptions{});  // calls add()
  return *loop_;
}

void LoopService::keep(std::shared_ptr<StartedTask> task) {
  auto& entry = tasks_[task.get()];
  entry = std::move(task);
}

void LoopService::forget(StartedTask& task) noexcept { tasks_.erase(&task); }

void LoopService::drop_tasks() noexcept {
  while (!tasks_.empty()) {
    const auto task = std::move(tasks_.begin()->second);
    tasks_.erase(tasks_.begin());
    task->drop();
  }
}

// The context is being destroyed.
void LoopService::shutdown() {
  drop_tasks();
  own_.reset();
}

}  // namespace detail
}  // namespace hotline
