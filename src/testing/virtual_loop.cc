#include <hotline/testing/virtual_loop.h>

#include <hotline/base/entropy.h>
#include <hotline/net/task_group.h>

#include "net/loop.h"

namespace hotline::testing {

struct VirtualLoop::State {
  explicit State(std::uint64_t seed) : entropy(seed) {}

  std::int64_t tasks_before = detail::live_tasks;
  std::int64_t streams_before = live_memory_streams();
  VirtualClock clock;
  SeededEntropy entropy;
  std::shared_ptr<MemoryLogger> logger = std::make_shared<MemoryLogger>();
  Loop loop{LoopOptions{.logger = logger, .clock = &clock, .entropy = &entropy}};
  TaskGroup group;
};

VirtualLoop::VirtualLoop(std::uint64_t seed) : state_(std::make_unique<State>(seed)) {}

VirtualLoop::~VirtualLoop() {
  cancel();
  settle();
}

void VirtualLoop::run(Task<> task) {
  call([&] { state_->group.spawn(std::move(task)); });
}

void VirtualLoop::call(const std::function<void()>& function) {
  {
    Turn turn{state_->loop};
    function();
  }
  settle();
}

void VirtualLoop::settle() { state_->loop.run_ready(); }

void VirtualLoop::advance(Duration duration) {
  auto& loop = state_->loop;
  auto& clock = state_->clock;
  const auto end = clock.now() + duration;
  settle();
  for (auto next = loop.next_deadline(); next && *next <= end; next = loop.next_deadline()) {
    if (*next > clock.now()) clock.advance(*next - clock.now());
    loop.run_timers();
    settle();
  }
  clock.advance(end - clock.now());
}

void VirtualLoop::ring(Duration duration) {
  state_->clock.advance(duration);
  state_->loop.run_timers();
}

TimePoint VirtualLoop::now() const noexcept { return state_->clock.now(); }

void VirtualLoop::drain() {
  state_->loop.drain();
  settle();
}

void VirtualLoop::cancel() {
  Turn turn{state_->loop};
  state_->group.cancel();
}

std::size_t VirtualLoop::waiting() const noexcept { return state_->group.size(); }

MemoryLogger& VirtualLoop::log() noexcept { return *state_->logger; }

Loop& VirtualLoop::loop() noexcept { return state_->loop; }

std::vector<std::string> VirtualLoop::end(Duration patience) {
  std::vector<std::string> found;
  const auto expect = [&](auto left, auto expected, const char* what) {
    if (left != expected) {
      found.push_back(std::to_string(left) + " " + what + " (" + std::to_string(expected) +
                      " expected)");
    }
  };
  settle();
  expect(waiting(), 0u, "tasks are still waiting");
  cancel();
  settle();
  // Only as long as somebody needs it: what waits for hours is not asked to.
  if (state_->loop.connections() > 0) advance(patience);
  expect(detail::live_tasks, state_->tasks_before, "tasks are alive: some were leaked");
  expect(state_->loop.connections(), 0u, "connections are still open");
  expect(state_->loop.blocks().taken(), 0u, "receive blocks are still taken");
  expect(state_->loop.cork().backlog(), 0u, "bytes wait to be sent, or are counted wrongly");
  expect(live_memory_streams(), state_->streams_before, "streams are alive: some were leaked");
  return found;
}

}  // namespace hotline::testing
