#include <hotline/net/run.h>

#include <exception>

#include "net/loop.h"

namespace hotline::detail {
namespace {

// One task, the loop that it runs on, and the time that what it leaves is given.
class Run final : private ChainOwner, private Timer {
 public:
  explicit Run(Task<> task) {
    Turn turn{loop_};
    chain_.start(std::move(task), *this);
  }
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;
  ~Run() {
    Turn turn{loop_};
    chain_.reset();
  }

  void to_end() {
    loop_.run();
    if (failure_) std::rethrow_exception(failure_);
  }

 private:
  void chain_finished() noexcept override {
    failure_ = chain_.exception();
    chain_.reset();
    set(loop_, loop_.now() + std::chrono::seconds(5));
    loop_.when_empty([this] { loop_.stop(); });
  }
  void expired() noexcept override { loop_.stop(); }

  Loop loop_;
  Chain chain_;
  std::exception_ptr failure_;
};

}  // namespace

void run_to_end(Task<> task) {
  if (Loop::current()) throw Error(Fault::nested_run);
  if (task.empty()) return;
  Run{std::move(task)}.to_end();
}

}  // namespace hotline::detail
