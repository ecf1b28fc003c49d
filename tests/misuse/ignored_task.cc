// A Task does nothing until somebody awaits it, so ignoring one is a mistake.
#include <hotline/base/task.h>

hotline::Task<> work();

hotline::Task<> forgetful() {
  co_await work();
  work();  // error: ignoring return value | nodiscard
}
