#include "net/loop_group.h"

#include <pthread.h>
#include <signal.h>
#include <sys/resource.h>

#include <exception>
#include <mutex>
#include <thread>

#include <hotline/base/error.h>

#include "net/offload_pool.h"

namespace hotline {

LoopGroup::LoopGroup(unsigned size, const LoopOptions& options) {
  if (size == 0 || size > 1024) throw Error(Fault::bad_option, "threads: from 1 to 1024");
  loops_.reserve(size);
  for (unsigned i = 0; i < size; ++i) loops_.push_back(std::make_unique<Loop>(options));
}

void LoopGroup::run() {
  std::mutex mutex;
  std::exception_ptr failure;  // the first
  const auto run_loop = [&](std::size_t index) {
    try {
      loops_[index]->run();
    } catch (...) {
      const std::scoped_lock lock{mutex};
      if (!failure) failure = std::current_exception();
      stop();
    }
  };
  std::vector<std::jthread> threads;
  threads.reserve(loops_.size());
  // Threads inherit the mask: a signal goes to the caller's thread, where the first loop is.
  sigset_t signals;
  sigset_t before;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, &before);
  try {
    for (std::size_t i = 1; i < loops_.size(); ++i) threads.emplace_back(run_loop, i);
  } catch (...) {
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    stop();
    throw;
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  run_loop(0);
  stop();
  threads.clear();
  for (auto& loop : loops_) loop->context().restart();
  if (failure) std::rethrow_exception(failure);
}

void LoopGroup::stop() noexcept {
  for (auto& loop : loops_) loop->stop();
}

std::size_t raise_descriptor_limit() noexcept {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return 0;
  if (limit.rlim_cur < limit.rlim_max) {
    rlimit raised = limit;
    raised.rlim_cur = raised.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) limit = raised;
  }
  return limit.rlim_cur;
}

}  // namespace hotline
