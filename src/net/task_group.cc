#include <hotline/net/task_group.h>

#include <hotline/base/error.h>

#include "net/loop.h"

namespace hotline {

class TaskGroup::Member final : private detail::ChainOwner {
 public:
  explicit Member(TaskGroup& group) : group_(group), next_(group.first_) {
    if (next_) next_->previous_ = this;
    group_.first_ = this;
    ++group_.size_;
  }
  ~Member() {
    (previous_ ? previous_->next_ : group_.first_) = next_;
    if (next_) next_->previous_ = previous_;
    --group_.size_;
  }

  void start(Task<> task) noexcept { chain_.start(std::move(task), *this); }
  const std::exception_ptr& exception() const noexcept { return chain_.exception(); }

 private:
  void chain_finished() noexcept override { group_.ended(*this); }

  TaskGroup& group_;
  detail::Chain chain_;
  Member* previous_ = nullptr;
  Member* next_;
};

TaskGroup::~TaskGroup() {
  if (gone_) *gone_ = true;
  gone_ = nullptr;
  joining_ = nullptr;
  cancel();
  if (!failure_) return;
  auto* loop = Loop::current();
  if (!loop) return;
  try {
    std::rethrow_exception(failure_);
  } catch (const std::exception& error) {
    loop->log(LogLevel::error, [&] {
      return std::string("a task of a group that nobody joined failed: ") + escaped(error.what());
    });
  } catch (...) {
    loop->log(LogLevel::error, [] { return "a task of a group that nobody joined failed"; });
  }
}

void TaskGroup::spawn(Task<> task) {
  if (task.empty()) return;
  auto* member = new Member{*this};
  member->start(std::move(task));
}

void TaskGroup::cancel() noexcept {
  // A task's frame may hold the last reference to whatever has this group.
  bool gone = false;
  auto* outer = std::exchange(gone_, &gone);
  while (first_) {
    delete first_;
    if (gone) {
      if (outer) *outer = true;
      return;
    }
  }
  gone_ = outer;
  // By the loop, and not from here: one of the tasks may be running just now, up to its next
  // suspension, and it refers to what the joining coroutine owns.
  if (!joining_) return;
  auto* joining = std::exchange(joining_, nullptr);
  if (auto* loop = Loop::current()) {
    joining->set(*loop, loop->now());
  } else {
    joining->resumption_.resume();
  }
}

void TaskGroup::ended(Member& member) noexcept {
  if (const auto& exception = member.exception(); exception && !failure_) {
    try {
      std::rethrow_exception(exception);
    } catch (const Cancelled&) {
    } catch (...) {
      failure_ = exception;
    }
  }
  bool gone = false;
  auto* outer = std::exchange(gone_, &gone);
  delete &member;
  if (gone) {
    if (outer) *outer = true;
    return;
  }
  gone_ = outer;
  if (size_ == 0 && joining_) std::exchange(joining_, nullptr)->resumption_.resume();
}

}  // namespace hotline
