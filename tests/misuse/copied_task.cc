// A Task owns its coroutine.
#include <utility>

#include <hotline/base/task.h>

hotline::Task<int> work();

void share() {
  hotline::Task<int> task = work();
  hotline::Task<int> copy = task;  // error: deleted
  copy = task;                     // error: deleted | was not declared | undeclared
  hotline::Task<int> moved = std::move(task);
}
