#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hotline/base/clock.h>
#include <hotline/base/logger.h>
#include <hotline/base/task.h>
#include <hotline/net/memory_stream.h>

namespace hotline {
class Loop;
}

namespace hotline::testing {

/// Keeps what is logged, of all levels.
class MemoryLogger final : public Logger {
 public:
  bool enabled(LogLevel) const noexcept override { return true; }
  void write(LogLevel level, std::string_view line) noexcept override {
    lines.emplace_back(line);
    if (level == LogLevel::error) ++errors;
    if (level == LogLevel::warning) ++warnings;
  }
  std::vector<std::string> lines;
  int errors = 0;
  int warnings = 0;
};

/// A loop in virtual time, run by the test: nothing happens but inside its members, and time passes
/// only in advance(). All chance follows from the seed. For one thread; outlives what is on it.
class VirtualLoop {
 public:
  explicit VirtualLoop(std::uint64_t seed = 1);
  VirtualLoop(const VirtualLoop&) = delete;
  VirtualLoop& operator=(const VirtualLoop&) = delete;
  /// Destroys what still waits.
  ~VirtualLoop();

  /// Starts a task, and lets everything happen that can without time passing. What it throws is
  /// logged as an error.
  void run(Task<> task);
  /// The same, to the task's end: gives its result, or throws what it throws; std::logic_error if
  /// it still waits after `patience`, in which time passes.
  template <typename T>
  T get(Task<T> task, Duration patience = {});
  /// Calls a function as if by the loop: what needs a loop works in it.
  void call(const std::function<void()>& function);

  /// Lets everything happen that can without time passing.
  void settle();
  /// Lets time pass, deadline by deadline.
  void advance(Duration duration);
  /// Lets time pass, and timers expire before anything that is ready is looked at.
  void ring(Duration duration);
  TimePoint now() const noexcept;

  /// Tells all that is on the loop to end, as Server::drain() does.
  void drain();
  /// Destroys the tasks that run() has started and that have not ended.
  void cancel();
  /// How many those are.
  std::size_t waiting() const noexcept;
  MemoryLogger& log() noexcept;

  /// Ends it, for a test's last line: lets `patience` pass, in which connections may close, and
  /// cancels what waits. A sentence for each kind of thing that should have gone by itself and has
  /// not: waiting tasks, open connections, memory that was leaked. Empty: all is well.
  std::vector<std::string> end(Duration patience = std::chrono::seconds(60));

  Loop& loop() noexcept;
  Loop& operator*() noexcept { return loop(); }
  Loop* operator->() noexcept { return &loop(); }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

template <typename T>
T VirtualLoop::get(Task<T> task, Duration patience) {
  struct Result {
    std::conditional_t<std::is_void_v<T>, bool, std::optional<T>> value{};
    std::exception_ptr exception;
    bool ended = false;
  };
  const auto result = std::make_shared<Result>();
  const auto keep = [](Task<T> own, std::shared_ptr<Result> kept) -> Task<> {
    try {
      if constexpr (std::is_void_v<T>) {
        co_await std::move(own);
      } else {
        kept->value.emplace(co_await std::move(own));
      }
    } catch (...) {
      kept->exception = std::current_exception();
    }
    kept->ended = true;
  };
  run(keep(std::move(task), result));
  if (!result->ended) advance(patience);
  if (!result->ended) throw std::logic_error("the task still waits");
  if (result->exception) std::rethrow_exception(result->exception);
  if constexpr (!std::is_void_v<T>) return *std::move(result->value);
}

}  // namespace hotline::testing
