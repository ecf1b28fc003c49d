#pragma once

#include <optional>
#include <utility>

#include <hotline/base/error.h>
#include <hotline/base/task.h>

namespace hotline {

namespace detail {

/// Rethrows what the task threw.
void run_to_end(Task<> task);

template <typename T>
Task<> keep_result(Task<T> task, std::optional<T>& result) {
  result.emplace(co_await std::move(task));
}

}  // namespace detail

/// Runs `task` to its end, on a loop of its own on this thread; gives its result, or throws what it
/// throws. For client programs:
///
///     int main() { return hotline::run(talk()); }
///
/// Connections that the task has left are given up to 5 s to close. Signals are not its business:
/// SIGINT ends the program as it would any. Throws Error (nested_run) on a thread where a loop runs
/// already (co_await the task there), Error (bad_option) where T is not void and the task is empty.
template <typename T>
T run(Task<T> task) {
  if constexpr (std::is_void_v<T>) {
    detail::run_to_end(std::move(task));
  } else {
    if (task.empty()) throw Error(Fault::bad_option, "run: the task is empty");
    std::optional<T> result;
    detail::run_to_end(detail::keep_result(std::move(task), result));
    return *std::move(result);
  }
}

}  // namespace hotline
