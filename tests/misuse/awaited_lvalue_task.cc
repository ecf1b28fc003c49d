// Awaiting a Task consumes it: a second await of the same one would find nothing.
#include <utility>

#include <hotline/base/task.h>

hotline::Task<> work();

hotline::Task<> twice() {
  hotline::Task<> task = work();
  co_await task;  // error: co_await | await_ready | deleted
  co_await std::move(task);
}
