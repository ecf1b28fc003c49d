#include <hotline/asio_start.h>

#include <future>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/bind_executor.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <gtest/gtest.h>

#include <hotline/asio_use_task.h>
#include <hotline/net/sleep.h>

#include "support/test_loop.h"

// g++ 12 sees a danger in it, with the address sanitizer, that is none.
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <boost/asio/use_future.hpp>
#if defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic pop
#endif

namespace hotline {
namespace {

namespace asio = boost::asio;
using testing::TestLoop;

// A context that the test runs, as somebody's program does. No task may outlive it.
class AsyncStart : public ::testing::Test {
 protected:
  ~AsyncStart() override {
    context.reset();
    EXPECT_EQ(detail::live_tasks, tasks_) << "tasks were leaked";
  }

  /// Runs until there is no more work.
  void run() {
    context->restart();
    context->run_for(std::chrono::seconds(20));
    EXPECT_TRUE(context->stopped()) << "it still has work";
  }
  /// A handler that notes how a task ended.
  auto note() {
    return [this](std::exception_ptr exception, auto... value) {
      ended = "well";
      ((result = value), ...);
      if (!exception) return;
      try {
        std::rethrow_exception(exception);
      } catch (const Cancelled&) {
        ended = "cancelled";
      } catch (const std::exception& error) {
        ended = error.what();
      }
    };
  }

  std::unique_ptr<asio::io_context> context = std::make_unique<asio::io_context>(1);
  std::string ended;
  int result = 0;

 private:
  std::int64_t tasks_ = detail::live_tasks;
};

Task<int> add(int left, int right) {
  co_await asio::post(this_loop_context(), use_task);
  co_return left + right;
}

Task<> fail() {
  co_await asio::post(this_loop_context(), use_task);
  throw std::runtime_error("failed");
}

Task<> wait_for_ever(bool* destroyed = nullptr) {
  struct Witness {
    bool* gone;
    ~Witness() {
      if (gone) *gone = true;
    }
  };
  const Witness witness{destroyed};
  asio::steady_timer never{this_loop_context(), asio::steady_timer::time_point::max()};
  co_await never.async_wait(use_task);
}

TEST_F(AsyncStart, calls_back_with_the_result) {
  async_start(*context, add(1, 2), note());
  EXPECT_EQ(ended, "") << "never from inside the call";
  run();
  EXPECT_EQ(ended, "well");
  EXPECT_EQ(result, 3);
}

TEST_F(AsyncStart, hands_over_what_the_task_throws) {
  async_start(context->get_executor(), fail(), note());
  run();
  EXPECT_EQ(ended, "failed");
}

TEST_F(AsyncStart, has_nothing_to_do_for_an_empty_task) {
  async_start(*context, Task<>{}, note());
  run();
  EXPECT_EQ(ended, "well");
  async_start(*context, Task<int>{}, note());
  run();
  EXPECT_NE(ended, "well");
}

TEST_F(AsyncStart, runs_in_one_loop_of_the_context) {
  const auto task = [](Loop*& seen) -> Task<> {
    seen = &Loop::require();
    EXPECT_TRUE(Turn::is_open(*seen));
    co_await asio::post(this_loop_context(), use_task);
    EXPECT_EQ(Loop::current(), seen);
  };
  Loop* first = nullptr;
  Loop* second = nullptr;
  async_start(*context, task(first), note());
  async_start(*context, task(second), asio::detached);
  run();
  EXPECT_EQ(ended, "well");
  EXPECT_NE(first, nullptr);
  EXPECT_EQ(first, second);
  EXPECT_EQ(&first->context(), context.get());
  EXPECT_EQ(Loop::current(), nullptr);
}

TEST_F(AsyncStart, gives_a_future_to_another_thread) {
  auto work = asio::make_work_guard(*context);
  std::thread thread{[&, sum = add(20, 22), failing = fail()]() mutable {
    EXPECT_EQ(async_start(*context, std::move(sum), asio::use_future).get(), 42);
    auto failed = async_start(*context, std::move(failing), asio::use_future);
    EXPECT_THROW(failed.get(), std::runtime_error);
    work.reset();
  }};
  run();
  thread.join();
}

TEST_F(AsyncStart, is_awaited_by_an_asio_coroutine) {
  const auto coroutine = []() -> asio::awaitable<int> {
    const auto executor = co_await asio::this_coro::executor;
    int sum = co_await async_start(executor, add(1, 2), asio::use_awaitable);
    try {
      co_await async_start(executor, fail(), asio::use_awaitable);
    } catch (const std::runtime_error&) {
      sum += 10;
    }
    co_return sum;
  };
  asio::co_spawn(*context, coroutine(), note());
  run();
  EXPECT_EQ(result, 13);
}

TEST_F(AsyncStart, awaits_an_asio_coroutine) {
  const auto coroutine = [](int value) -> asio::awaitable<int> {
    co_await asio::post(asio::use_awaitable);
    co_return value;
  };
  const auto task = [](auto make) -> Task<int> {
    co_return co_await asio::co_spawn(this_loop_context(), make(5), use_task);
  };
  async_start(*context, task(coroutine), note());
  run();
  EXPECT_EQ(ended, "well");
  EXPECT_EQ(result, 5);
}

TEST_F(AsyncStart, may_be_deferred) {
  auto operation = async_start(*context, add(3, 4), asio::deferred);
  run();
  EXPECT_EQ(ended, "");
  std::move(operation)(note());
  run();
  EXPECT_EQ(result, 7);
}

TEST_F(AsyncStart, calls_the_handler_by_its_executor) {
  asio::thread_pool pool{1};
  std::thread::id seen;
  const auto handler = [&](std::exception_ptr, int) { seen = std::this_thread::get_id(); };
  async_start(*context, add(1, 1), asio::bind_executor(pool.get_executor(), handler));
  run();
  pool.join();
  EXPECT_NE(seen, std::thread::id{});
  EXPECT_NE(seen, std::this_thread::get_id());
}

TEST_F(AsyncStart, takes_only_executors_of_an_io_context) {
  asio::thread_pool pool{1};
  EXPECT_THROW(async_start(pool.get_executor(), add(1, 2), note()), Error);
  const auto working =
      asio::require(context->get_executor(), asio::execution::outstanding_work.tracked);
  async_start(working, add(1, 2), note());
  context->poll();  // `working` would keep run() for ever
  EXPECT_EQ(ended, "well");
}

TEST_F(AsyncStart, passes_on_what_a_handler_throws) {
  async_start(*context, add(1, 2), [](std::exception_ptr, int) { throw std::logic_error("mine"); });
  EXPECT_THROW(context->run(), std::logic_error);
  async_start(*context, add(1, 2), note());
  run();
  EXPECT_EQ(result, 3);
}

TEST_F(AsyncStart, is_cancelled_at_every_step) {
  for (const auto type : {asio::cancellation_type::terminal, asio::cancellation_type::partial,
                          asio::cancellation_type::total}) {
    for (int steps = 0; steps < 6; ++steps) {
      asio::cancellation_signal signal;
      ended.clear();
      async_start(*context, wait_for_ever(), asio::bind_cancellation_slot(signal.slot(), note()));
      context->restart();
      for (int i = 0; i < steps; ++i) context->poll_one();
      signal.emit(asio::cancellation_type::none);
      EXPECT_EQ(ended, "");
      signal.emit(type);
      signal.emit(type);
      run();
      EXPECT_EQ(ended, "cancelled");
      signal.emit(type);  // too late
      run();
    }
  }
}

TEST_F(AsyncStart, leaves_the_context_no_work_when_a_sleeping_task_is_cancelled) {
  const auto task = []() -> Task<> { co_await sleep(std::chrono::hours(1)); };
  asio::cancellation_signal signal;
  async_start(*context, task(), asio::bind_cancellation_slot(signal.slot(), note()));
  context->poll();
  signal.emit(asio::cancellation_type::terminal);
  run();
  EXPECT_EQ(ended, "cancelled");
}

TEST_F(AsyncStart, is_cancelled_by_the_task_itself) {
  asio::cancellation_signal signal;
  bool went_on = false;
  const auto task = [](asio::cancellation_signal& own, bool& more) -> Task<> {
    own.emit(asio::cancellation_type::terminal);
    more = true;  // it runs up to its next suspension
    co_await wait_for_ever();
    ADD_FAILURE() << "it goes on";
  };
  async_start(*context, task(signal, went_on), asio::bind_cancellation_slot(signal.slot(), note()));
  run();
  EXPECT_TRUE(went_on);
  EXPECT_EQ(ended, "cancelled");
}

TEST_F(AsyncStart, ends_with_the_context) {
  auto kept = std::make_shared<int>();
  bool destroyed = false;
  const auto handler = [kept](std::exception_ptr) { ADD_FAILURE() << "it was called"; };
  async_start(*context, wait_for_ever(&destroyed), handler);
  context->poll();
  async_start(*context, wait_for_ever(), handler);  // never begun
  EXPECT_FALSE(destroyed);
  context.reset();
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(kept.use_count(), 2) << "its own, and the handler's here";
}

TEST(AsyncStartOnALoop, runs_the_task_in_that_loop) {
  TestLoop loop;
  Loop* seen = nullptr;
  const auto task = [](Loop*& own) -> Task<> {
    own = &Loop::require();
    co_return;
  };
  async_start(loop->context(), task(seen), asio::detached);
  loop.settle();
  EXPECT_EQ(seen, &*loop);
}

TEST(AsyncStartOnALoop, ends_with_the_loop) {
  const auto tasks = detail::live_tasks;
  bool destroyed = false;
  {
    Loop loop;
    async_start(loop.context(), wait_for_ever(&destroyed), asio::detached);
    loop.run_ready();
    EXPECT_FALSE(destroyed);
  }
  EXPECT_TRUE(destroyed);
  EXPECT_EQ(detail::live_tasks, tasks);
}

}  // namespace
}  // namespace hotline
