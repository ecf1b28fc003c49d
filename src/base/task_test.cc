#include <hotline/base/task.h>

#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace hotline {
namespace {

// Something to wait for, opened by hand.
class Gate {
 public:
  class Wait {
   public:
    explicit Wait(Gate& gate) : gate_(gate) {}
    Wait(const Wait&) = delete;
    Wait& operator=(const Wait&) = delete;
    ~Wait() {
      if (gate_.wait_ == this) {
        gate_.wait_ = nullptr;
        ++gate_.cancelled;
      }
    }
    bool await_ready() const { return gate_.is_open_; }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> handle) {
      resumption_ = detail::Resumption{handle};
      gate_.wait_ = this;
    }
    void await_resume() const {}

   private:
    friend class Gate;
    Gate& gate_;
    detail::Resumption resumption_;
  };

  Wait wait() { return Wait{*this}; }
  bool has_waiter() const { return wait_ != nullptr; }
  void open() {
    if (auto* wait = std::exchange(wait_, nullptr)) wait->resumption_.resume();
  }
  void leave_open() { is_open_ = true; }

  int cancelled = 0;

 private:
  Wait* wait_ = nullptr;
  bool is_open_ = false;
};

// The owner of one root task.
class Runner final : public detail::ChainOwner {
 public:
  explicit Runner(Task<> task) { chain_.start(std::move(task), *this); }
  bool finished() const { return finished_; }
  void destroy() { chain_.reset(); }
  std::string failure() const {
    try {
      if (finished_ && exception_) std::rethrow_exception(exception_);
    } catch (const std::exception& error) {
      return error.what();
    }
    return "";
  }

 private:
  void chain_finished() noexcept override {
    finished_ = true;
    exception_ = chain_.exception();
    chain_.reset();
  }

  detail::Chain chain_;
  bool finished_ = false;
  std::exception_ptr exception_;
};

struct Witness {
  explicit Witness(int& destroyed) : destroyed_(destroyed) {}
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;
  ~Witness() { ++destroyed_; }
  int& destroyed_;
};

class TaskTest : public ::testing::Test {
 protected:
  ~TaskTest() override { EXPECT_EQ(detail::live_tasks, before_) << "tasks were leaked"; }

 private:
  std::int64_t before_ = detail::live_tasks;
};

Task<int> immediate(int value) { co_return value; }
Task<> pass(Gate& gate) { co_await gate.wait(); }
Task<int> after(Gate& gate, int value) {
  co_await gate.wait();
  co_return value;
}

TEST_F(TaskTest, is_lazy) {
  bool ran = false;
  auto work = [](bool& flag) -> Task<> {
    flag = true;
    co_return;
  };
  {
    auto task = work(ran);
    EXPECT_FALSE(ran);
  }
  EXPECT_FALSE(ran) << "destroying a task that was not started runs nothing of it";
  Runner runner{work(ran)};
  EXPECT_TRUE(ran);
  EXPECT_TRUE(runner.finished());
}

TEST_F(TaskTest, gives_its_result_to_who_awaits_it) {
  int result = 0;
  auto outer = [](int& out) -> Task<> { out = co_await immediate(7); };
  Runner runner{outer(result)};
  EXPECT_EQ(result, 7);
}

TEST_F(TaskTest, carries_a_result_that_can_only_be_moved) {
  auto make = []() -> Task<std::unique_ptr<int>> { co_return std::make_unique<int>(5); };
  int result = 0;
  auto outer = [](auto& factory, int& out) -> Task<> {
    auto made = co_await factory();
    out = *made;
  };
  Runner runner{outer(make, result)};
  EXPECT_EQ(result, 5);
}

TEST_F(TaskTest, throws_where_it_is_awaited) {
  auto fail = []() -> Task<int> {
    throw std::runtime_error("no");
    co_return 0;
  };
  std::string caught;
  auto outer = [](auto& failing, std::string& out) -> Task<> {
    try {
      co_await failing();
    } catch (const std::exception& error) {
      out = error.what();
    }
  };
  Runner runner{outer(fail, caught)};
  EXPECT_EQ(caught, "no");
}

TEST_F(TaskTest, a_failure_of_the_root_reaches_its_owner) {
  auto fail = [](Gate& gate) -> Task<> {
    co_await gate.wait();
    throw std::runtime_error("later");
  };
  Gate gate;
  Runner runner{fail(gate)};
  EXPECT_FALSE(runner.finished());
  gate.open();
  EXPECT_TRUE(runner.finished());
  EXPECT_EQ(runner.failure(), "later");
}

TEST_F(TaskTest, a_child_that_ends_later_resumes_its_parent) {
  Gate gate;
  int result = 0;
  auto outer = [](Gate& g, int& out) -> Task<> {
    out = co_await after(g, 1);
    out += co_await after(g, 2);
  };
  Runner runner{outer(gate, result)};
  gate.open();
  EXPECT_EQ(result, 1);
  gate.open();
  EXPECT_EQ(result, 3);
  EXPECT_TRUE(runner.finished());
}

TEST_F(TaskTest, an_empty_task_is_done) {
  Task<> empty;
  EXPECT_TRUE(empty.empty());
  bool after_it = false;
  auto outer = [](Task<> task, bool& flag) -> Task<> {
    co_await std::move(task);
    flag = true;
  };
  Runner runner{outer(std::move(empty), after_it)};
  EXPECT_TRUE(after_it);
}

// The stack must not grow with awaits that complete at once, in any way of building (the design's
// trap: symmetric transfer is a tail call in plain -O2 only).
TEST_F(TaskTest, a_million_awaits_that_complete_at_once_need_no_stack) {
  long sum = 0;
  auto outer = [](long& out) -> Task<> {
    for (int i = 0; i < 1'000'000; ++i) out += co_await immediate(1);
  };
  Runner runner{outer(sum)};
  EXPECT_EQ(sum, 1'000'000);
}

TEST_F(TaskTest, a_million_awaits_of_children_that_suspend_need_no_stack) {
  Gate gate;
  long sum = 0;
  auto outer = [](Gate& g, long& out) -> Task<> {
    for (int i = 0; i < 1'000'000; ++i) out += co_await after(g, 1);
  };
  Runner runner{outer(gate, sum)};
  while (gate.has_waiter()) gate.open();
  EXPECT_EQ(sum, 1'000'000);
  EXPECT_TRUE(runner.finished());
}

TEST_F(TaskTest, destroying_a_suspended_chain_cancels_from_the_leaf_up) {
  Gate gate;
  int destroyed = 0;
  auto inner = [](Gate& g, int& count) -> Task<> {
    Witness witness{count};
    co_await pass(g);
  };
  auto outer = [](auto& child, Gate& g, int& count) -> Task<> {
    Witness witness{count};
    co_await child(g, count);
  };
  Runner runner{outer(inner, gate, destroyed)};
  ASSERT_TRUE(gate.has_waiter());
  runner.destroy();
  EXPECT_EQ(destroyed, 2);
  EXPECT_EQ(gate.cancelled, 1);
  EXPECT_FALSE(gate.has_waiter());
  EXPECT_FALSE(runner.finished()) << "a destroyed task has not finished";
}

TEST_F(TaskTest, one_that_is_destroyed_while_it_runs_ends_at_its_next_suspension) {
  Gate first;
  Gate second;
  int destroyed = 0;
  std::vector<std::string> steps;
  std::unique_ptr<Runner> runner;
  auto work = [](Gate& a, Gate& b, std::unique_ptr<Runner>& owner, int& count,
                 std::vector<std::string>& log) -> Task<> {
    Witness witness{count};
    co_await pass(a);
    owner.reset();
    log.push_back("still running");
    co_await pass(b);
    log.push_back("never");
  };
  runner = std::make_unique<Runner>(work(first, second, runner, destroyed, steps));
  first.open();
  EXPECT_EQ(steps, std::vector<std::string>{"still running"});
  EXPECT_EQ(destroyed, 1);
  EXPECT_EQ(second.cancelled, 1);
}

TEST_F(TaskTest, one_that_is_destroyed_while_it_runs_may_also_just_end) {
  Gate gate;
  int destroyed = 0;
  std::unique_ptr<Runner> runner;
  auto work = [](Gate& g, std::unique_ptr<Runner>& owner, int& count) -> Task<> {
    Witness witness{count};
    co_await g.wait();
    owner.reset();
  };
  runner = std::make_unique<Runner>(work(gate, runner, destroyed));
  gate.open();
  EXPECT_EQ(destroyed, 1);
}

#if defined(__GNUC__) && !defined(__clang__) && __GNUC__ == 12
Gate nowhere;
Task<bool> yes() { co_return true; }
Task<> without_a_variable() {
  if (co_await yes()) co_await nowhere.wait();
}
Task<> with_a_variable() {
  if (const bool answer = co_await yes(); answer) co_return;
}

TEST_F(TaskTest, one_that_the_compiler_lays_out_wrongly_says_so) {
  EXPECT_THROW((void)without_a_variable(), std::logic_error);
  Runner runner{with_a_variable()};
  EXPECT_TRUE(runner.finished());
  detail::live_tasks = 0;  // the compiler never destroys the promise of the one that threw
}
#endif

TEST_F(TaskTest, a_deep_chain_unwinds) {
  struct Nest {
    static Task<int> down(Gate& gate, int depth) {
      if (depth == 0) {
        co_await gate.wait();
        co_return 0;
      }
      co_return 1 + co_await down(gate, depth - 1);
    }
  };
  Gate gate;
  int result = 0;
  auto outer = [](Gate& g, int& out) -> Task<> { out = co_await Nest::down(g, 500); };
  Runner runner{outer(gate, result)};
  gate.open();
  EXPECT_EQ(result, 500);
}

}  // namespace
}  // namespace hotline
