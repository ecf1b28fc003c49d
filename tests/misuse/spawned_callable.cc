// spawn takes a Task: a callable would leave its captures behind when the full expression ends.
#include <hotline/base/task.h>
#include <hotline/net/task_group.h>

hotline::Task<> work();

void start(hotline::TaskGroup& group) {
  group.spawn(work());
  const auto callable = [] { return work(); };
  group.spawn(callable);  // error: no matching | convert | no viable
}
