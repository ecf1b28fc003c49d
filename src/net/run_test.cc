#include <hotline/net/run.h>

#include <memory>
#include <stdexcept>

#include <boost/asio/post.hpp>

#include <hotline/asio_use_task.h>
#include <hotline/net/byte_stream.h>

#include "net/net_fixture.h"
#include "net/stream_wait.h"

namespace hotline {
namespace {

Task<int> seven() { co_return 7; }

Task<> later() { co_await boost::asio::post(this_loop_context(), use_task); }

Task<std::unique_ptr<int>> eight_later() {
  co_await later();
  co_return std::make_unique<int>(8);
}

Task<> fail_later() {
  co_await later();
  throw std::runtime_error("as it should");
}

Task<> count(int& counter) {
  co_await later();
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

// Its peer closes when it has heard all.
Task<> close_at_the_end(StreamPointer peer, std::string& heard) {
  while (!heard.ends_with('.')) {
    StreamWait wait{peer, StreamWait::readable};
    co_await wait;
    heard += read_once(*peer);
  }
}

Task<> leave_a_connection(TaskGroup& others, std::string& heard) {
  auto pair = make_memory_streams(Loop::require());
  others.spawn(close_at_the_end(std::move(pair.second), heard));
  ByteStream stream{Loop::require(), std::move(pair.first)};
  auto farewell = stream.write("farewell");
  co_await std::move(farewell);
}

TEST(Run, lets_connections_close_that_the_task_has_left) {
  TaskGroup others;
  std::string heard;
  run(leave_a_connection(others, heard));
  EXPECT_EQ(heard, "farewell.");
  EXPECT_EQ(others.size(), 0u);
}

}  // namespace
}  // namespace hotline
