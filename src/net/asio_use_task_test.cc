#include <hotline/asio_use_task.h>

#include <memory>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/compose.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <gtest/gtest.h>

#include <hotline/asio_start.h>

#include "support/test_loop.h"

namespace hotline {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::local::stream_protocol::socket;
using testing::TestLoop;

const error_code aborted = asio::error::operation_aborted;
const error_code eof = asio::error::eof;

// An operation that completes with what it is given: later, as Asio's do, or from inside its
// initiation.
enum class When { later, at_once };

template <typename Signature, When when = When::later, typename Token, typename... Args>
auto give(Token&& token, Args&&... args) {
  return asio::async_initiate<Token, Signature>(
      [](auto handler, auto... arguments) {
        if constexpr (when == When::at_once) {
          std::move(handler)(std::move(arguments)...);
        } else {
          const auto executor = asio::get_associated_executor(handler);
          asio::post(executor, [handler = std::move(handler),
                                kept = std::tuple{std::move(arguments)...}]() mutable {
            std::apply(std::move(handler), std::move(kept));
          });
        }
      },
      token, std::forward<Args>(args)...);
}

template <When when>
Task<> take_everything(int& taken) {
  co_await give<void(), when>(use_task);
  co_await give<void(error_code), when>(use_task, error_code{});
  co_await give<void(std::error_code), when>(use_task, std::error_code{});
  co_await give<void(std::exception_ptr), when>(use_task, std::exception_ptr{});
  const int one = co_await give<void(int), when>(use_task, 1);
  const int two = co_await give<void(error_code, int), when>(use_task, error_code{}, 2);
  const auto [three, text] = co_await give<void(error_code, int, std::string), when>(
      use_task, error_code{}, 3, std::string("three"));
  const auto [four, other] = co_await give<void(int, std::string), when>(use_task, 4, "four");
  const std::unique_ptr<int> five = co_await give<void(error_code, std::unique_ptr<int>), when>(
      use_task, error_code{}, std::make_unique<int>(5));
  const auto [code, six] =
      co_await give<void(error_code, int), when>(asio::as_tuple(use_task), eof, 6);
  EXPECT_EQ(code, eof);
  EXPECT_EQ(text + other, "threefour");
  taken = one + two + three + four + *five + six;
}

TEST(UseTask, gives_what_the_operation_gives) {
  TestLoop loop;
  int taken = 0;
  loop.run(take_everything<When::later>(taken));
  EXPECT_EQ(taken, 21);
}

TEST(UseTask, gives_what_came_while_it_began) {
  TestLoop loop;
  int taken = 0;
  loop.run(take_everything<When::at_once>(taken));
  EXPECT_EQ(taken, 21);
}

TEST(UseTask, does_not_grow_the_stack_where_operations_end_at_once) {
  TestLoop loop;
  int sum = 0;
  const auto task = [](int& total) -> Task<> {
    for (int i = 0; i < 200'000; ++i) {
      total += co_await give<void(int), When::at_once>(use_task, 1);
    }
  };
  loop.run(task(sum));
  EXPECT_EQ(sum, 200'000);
}

TEST(UseTask, throws_the_operations_error) {
  TestLoop loop;
  int caught = 0;
  const auto task = [](int& count) -> Task<> {
    try {
      co_await give<void(error_code, int)>(use_task, eof, 1);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), eof);
      ++count;
    }
    try {
      const error_code reset = asio::error::connection_reset;
      co_await give<void(error_code)>(use_task, reset);
    } catch (const Error& error) {
      EXPECT_TRUE(error.is(Condition::connection_lost));
      ++count;
    }
    try {
      co_await give<void(std::error_code)>(use_task, make_error_code(Fault::bad_request));
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Fault::bad_request);
      ++count;
    }
    try {
      auto exception = std::make_exception_ptr(std::string("thrown"));
      co_await give<void(std::exception_ptr, int)>(use_task, exception, 1);
    } catch (const std::string& what) {
      EXPECT_EQ(what, "thrown");
      ++count;
    }
  };
  loop.run(task(caught));
  EXPECT_EQ(caught, 4);
}

TEST(UseTask, redirects_the_error) {
  TestLoop loop;
  bool done = false;
  const auto task = [](bool& ended) -> Task<> {
    error_code code = aborted;
    const int seven =
        co_await give<void(error_code, int)>(asio::redirect_error(use_task, code), error_code{}, 7);
    EXPECT_EQ(seven, 7);
    EXPECT_FALSE(code);
    co_await give<void(error_code)>(asio::redirect_error(use_task, code), eof);
    EXPECT_EQ(code, eof);
    ended = true;
  };
  loop.run(task(done));
  EXPECT_TRUE(done);
}

TEST(UseTask, reports_what_the_initiation_throws) {
  TestLoop loop;
  bool caught = false;
  const auto task = [](bool& done) -> Task<> {
    auto failing = asio::async_initiate<const use_task_t, void()>(
        [](auto) { throw std::runtime_error("no"); }, use_task);
    try {
      co_await failing;
    } catch (const std::runtime_error&) {
      done = true;
    }
  };
  loop.run(task(caught));
  EXPECT_TRUE(caught);
}

TEST(UseTask, begins_the_operation_when_it_is_awaited) {
  TestLoop loop;
  int begun = 0;
  const auto task = [](int& count) -> Task<> {
    auto operation = asio::async_initiate<const use_task_t, void()>(
        [&count](auto handler) {
          ++count;
          asio::post(asio::get_associated_executor(handler), std::move(handler));
        },
        use_task);
    EXPECT_EQ(count, 0);
    co_await operation;
    EXPECT_EQ(count, 1);
  };
  loop.run(task(begun));
  EXPECT_EQ(begun, 1);
}

TEST(UseTask, resumes_on_the_loop_in_a_turn_of_it) {
  TestLoop loop;
  std::thread thread;
  bool done = false;
  // Calls its handler on a thread of its own, as no operation should.
  const auto rude = [&thread](auto handler) {
    thread = std::thread{[handler = std::move(handler)]() mutable { std::move(handler)(1); }};
  };
  const auto task = [](auto begin, Loop& own, bool& ended) -> Task<> {
    auto operation = asio::async_initiate<const use_task_t, void(int)>(begin, use_task);
    const auto before = std::this_thread::get_id();
    co_await operation;
    EXPECT_EQ(std::this_thread::get_id(), before);
    EXPECT_EQ(Loop::current(), &own);
    EXPECT_TRUE(Turn::is_open(own)) << "what is written now is flushed at its end";
    EXPECT_EQ(&this_loop_context(), &own.context());
    ended = true;
  };
  loop.run(task(rude, *loop, done));
  thread.join();
  loop.settle();
  EXPECT_TRUE(done);
}

TEST(UseTask, needs_a_loop) { EXPECT_THROW(this_loop_context(), Error); }

// Cancelling

TEST(UseTask, hears_of_a_timer_that_others_cancel) {
  TestLoop loop;
  asio::steady_timer timer{loop->context(), asio::steady_timer::time_point::max()};
  bool cancelled = false;
  const auto task = [](asio::steady_timer& never, bool& ended) -> Task<> {
    try {
      co_await never.async_wait(use_task);
    } catch (const Error& error) {
      ended = error.is(Condition::cancelled) && error.code() == aborted;
    }
  };
  loop.run(task(timer, cancelled));
  EXPECT_EQ(loop.waiting(), 1u);
  timer.cancel();
  loop.settle();
  EXPECT_TRUE(cancelled);
}

// Records how it is cancelled, and never completes otherwise.
struct Patient {
  std::vector<asio::cancellation_type>& heard;
  template <typename Handler>
  void operator()(Handler handler) {
    auto slot = asio::get_associated_cancellation_slot(handler);
    auto kept = std::make_shared<Handler>(std::move(handler));
    slot.assign([&heard = heard, kept](asio::cancellation_type type) {
      heard.push_back(type);
      auto last = std::move(*kept);  // or the slot would keep the handler that keeps the slot
      const auto executor = last.get_executor();
      asio::post(executor, [last = std::move(last)]() mutable { std::move(last)(aborted); });
    });
  }
};

Task<> wait_patiently(std::vector<asio::cancellation_type>& heard, std::string& ended) {
  auto operation =
      asio::async_initiate<const use_task_t, void(error_code)>(Patient{heard}, use_task);
  try {
    co_await operation;
    ended = "completed";
  } catch (const Cancelled&) {
    ended = "cancelled";
  }
}

TEST(UseTask, asks_the_operation_to_end_when_the_task_is_destroyed) {
  TestLoop loop;
  std::vector<asio::cancellation_type> heard;
  std::string ended;
  loop.run(wait_patiently(heard, ended));
  EXPECT_TRUE(heard.empty());
  loop.cancel();
  EXPECT_EQ(heard, std::vector{asio::cancellation_type::terminal});
  loop.settle();
  EXPECT_EQ(ended, "");
}

TEST(UseTask, throws_cancelled_when_the_loop_drains) {
  TestLoop loop;
  std::vector<asio::cancellation_type> heard;
  std::string ended;
  loop.run(wait_patiently(heard, ended));
  loop->drain();
  EXPECT_EQ(heard, std::vector{asio::cancellation_type::terminal});
  EXPECT_EQ(ended, "cancelled");
  // From now on nothing is begun.
  ended.clear();
  loop.run(wait_patiently(heard, ended));
  EXPECT_EQ(heard.size(), 1u);
  EXPECT_EQ(ended, "cancelled");
}

TEST(UseTask, lets_the_operation_end_with_the_loop) {
  const auto tasks = detail::live_tasks;
  std::vector<asio::cancellation_type> heard;
  std::string ended;
  {
    TaskGroup group;  // destroyed after the loop
    Loop loop;
    {
      Turn turn{loop};
      group.spawn(wait_patiently(heard, ended));
      const auto never_run = []() -> Task<> { co_await give<void()>(use_task); };
      group.spawn(never_run());
    }
  }
  EXPECT_EQ(heard, std::vector{asio::cancellation_type::terminal});
  EXPECT_EQ(ended, "");
  EXPECT_EQ(detail::live_tasks, tasks);
}

// Each step touches what the awaiting task owns.
struct Stepper {
  std::unique_ptr<int>& steps;
  int left = 10;
  template <typename Self>
  void operator()(Self& self) {
    ++*steps;
    if (left-- == 0) return self.complete();
    asio::post(std::move(self));
  }
};

TEST(UseTask, lets_no_step_of_an_operation_run_after_its_task) {
  for (int rounds = 0; rounds < 15; ++rounds) {
    TestLoop loop;
    auto steps = std::make_unique<int>(0);
    const auto task = [](Loop& own, std::unique_ptr<int>& counted) -> Task<> {
      auto operation =
          asio::async_compose<const use_task_t, void()>(Stepper{counted}, use_task, own.context());
      co_await operation;
    };
    TaskGroup group;
    {
      Turn turn{*loop};
      group.spawn(task(*loop, steps));
    }
    for (int i = 0; i < rounds; ++i) loop->context().poll_one();
    group.cancel();
    const int before = *steps;
    loop.settle();
    EXPECT_EQ(*steps, before);
    loop->context().restart();
  }
}

// Streams: everything here owns its buffers in its frame, so that the address sanitizer sees
// whatever touches them later.

Task<> answer_lines(Socket socket, std::string& heard) {
  asio::steady_timer timer{this_loop_context()};
  for (;;) {
    std::string line;
    const auto size =
        co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n', use_task);
    EXPECT_EQ(line.find('\n') + 1, size);
    heard += line.substr(0, size);
    timer.expires_after(asio::steady_timer::duration::zero());
    co_await timer.async_wait(use_task);
    const std::string answer(300'000, 'a');  // more than the socket takes at once
    const auto written = co_await asio::async_write(socket, asio::buffer(answer), use_task);
    EXPECT_EQ(written, answer.size());
    std::array<char, 2> more;
    auto [code, count] =
        co_await asio::async_read(socket, asio::buffer(more), asio::as_tuple(use_task));
    if (code) co_return;
    heard.append(more.data(), count);
  }
}

// Returns how many steps of the loop there were; destroys the task after `limit` of them.
int speak(TestLoop& loop, int limit, std::string& heard) {
  Socket near{loop->context()};
  Socket far{loop->context()};
  asio::local::connect_pair(near, far);
  near.non_blocking(true);
  TaskGroup group;
  {
    Turn turn{*loop};
    group.spawn(answer_lines(std::move(far), heard));
  }
  const std::string_view text = "one\nxytwo\nz";
  std::size_t said = 0;
  std::vector<char> drop(100'000);
  int steps = 0;
  for (; steps < limit && group.size() > 0; ++steps) {
    error_code code;
    if (said < text.size()) {
      said += near.write_some(asio::buffer(text.substr(said, 1)), code);
    } else if (steps % 4 == 0) {
      near.shutdown(Socket::shutdown_send, code);
    }
    near.read_some(asio::buffer(drop), code);
    loop->context().restart();
    loop->context().poll_one();
  }
  group.cancel();
  loop.settle();
  return steps;
}

TEST(UseTask, serves_composed_operations_of_streams) {
  TestLoop loop;
  std::string heard;
  const int steps = speak(loop, 10'000, heard);
  EXPECT_LT(steps, 10'000);
  EXPECT_EQ(heard, "one\nxytwo\n");
}

TEST(UseTask, may_be_destroyed_at_every_step) {
  TestLoop loop;
  std::string heard;
  const int steps = speak(loop, 10'000, heard);
  for (int limit = 0; limit < steps; ++limit) speak(loop, limit, heard);
}

TEST(UseTask, accepts_and_connects) {
  TestLoop loop;
  using asio::ip::tcp;
  std::string heard;
  tcp::acceptor acceptor{loop->context(), {asio::ip::address_v4::loopback(), 0}};
  const auto serve = [](tcp::acceptor& listening) -> Task<> {
    auto socket = co_await listening.async_accept(use_task);
    co_await asio::async_write(socket, asio::buffer("hello\n", 6), use_task);
  };
  const auto call = [](tcp::endpoint peer, std::string& line) -> Task<> {
    tcp::socket socket{this_loop_context()};
    co_await socket.async_connect(peer, use_task);
    co_await asio::async_read_until(socket, asio::dynamic_buffer(line), '\n', use_task);
    char byte;
    const auto [code, size] =
        co_await socket.async_read_some(asio::buffer(&byte, 1), asio::as_tuple(use_task));
    EXPECT_EQ(code, eof);
    EXPECT_EQ(size, 0u);
  };
  loop.run(serve(acceptor));
  loop.run(call(acceptor.local_endpoint(), heard));
  while (loop.waiting() > 0) loop->context().run_one_for(std::chrono::seconds(10));
  EXPECT_EQ(heard, "hello\n");
}

}  // namespace
}  // namespace hotline
