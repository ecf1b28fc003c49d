#include <hotline/net/run.h>

#include <memory>
#include <stdexcept>

#include <hotline/net/byte_stream.h>
#include <hotline/net/sleep.h>

#include "net/linger.h"
#include "net/net_fixture.h"

namespace hotline {
namespace {

Task<int> seven() { co_return 7; }

Task<std::unique_ptr<int>> eight_later() {
  co_await sleep(1ms);
  co_return std::make_unique<int>(8);
}

Task<> fail_later() {
  co_await sleep(1ms);
  throw std::runtime_error("as it should");
}

Task<> count(int& counter) {
  co_await sleep(1ms);
  ++counter;
}

TEST(Run, gives_what_the_task_gives) {
  EXPECT_EQ(run(seven()), 7);
  EXPECT_EQ(*run(eight_later()), 8);
  int counter = 0;
  run(count(counter));
  run(count(counter));
  EXPECT_EQ(counter, 2);
  EXPECT_EQ(Loop::current(), nullptr);
}

TEST(Run, throws_what_the_task_throws) {
  const auto tasks = detail::live_tasks;
  EXPECT_THROW(run(fail_later()), std::runtime_error);
  EXPECT_EQ(detail::live_tasks, tasks);
}

TEST(Run, of_nothing_is_done_at_once) {
  run(Task<>{});
  EXPECT_THROW(run(Task<int>{}), Error);
}

Task<std::error_code> run_inside() {
  auto code = std::error_code{};
  try {
    run(seven());
  } catch (const Error& error) {
    code = error.code();
  }
  co_return code;
}

TEST(Run, inside_of_a_loop_is_reported) { EXPECT_EQ(run(run_inside()), Fault::nested_run); }

// Its peer closes a little later, and its farewell has been read by then.
Task<> close_later(StreamPointer peer, std::string& heard) {
  co_await sleep(5ms);
  heard = read_once(*peer);
}

Task<> leave_a_connection(TaskGroup& others, std::string& heard) {
  auto pair = make_memory_streams(Loop::require());
  others.spawn(close_later(std::move(pair.second), heard));
  ByteStream stream{Loop::require(), std::move(pair.first)};
  auto farewell = stream.write("farewell");
  co_await std::move(farewell);
}

TEST(Run, lets_connections_close_that_the_task_has_left) {
  TaskGroup others;
  std::string heard;
  run(leave_a_connection(others, heard));
  EXPECT_EQ(heard, "farewell");
  EXPECT_EQ(others.size(), 0u);
}

}  // namespace
}  // namespace hotline
