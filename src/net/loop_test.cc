#include "net/loop.h"

#include <algorithm>
#include <array>
#include <memory>
#include <random>
#include <vector>

#include <hotline/base/error.h>

#include "net/net_fixture.h"

namespace hotline {
namespace {

// ---- Timers

TEST(Timers, ring_in_the_order_of_their_deadlines) {
  TestLoop loop;
  std::vector<int> order;
  Alarm late{[&] { order.push_back(3); }};
  Alarm early{[&] { order.push_back(1); }};
  Alarm middle{[&] { order.push_back(2); }};
  late.set(*loop, loop.now() + 3s);
  early.set(*loop, loop.now() + 1s);
  middle.set(*loop, loop.now() + 2s);
  loop.advance(2s);
  EXPECT_EQ(order, (std::vector{1, 2}));
  loop.advance(1s);
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(Timers, of_one_deadline_ring_in_the_order_they_were_set) {
  TestLoop loop;
  std::vector<int> order;
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 10; ++i) {
    alarms.push_back(std::make_unique<Alarm>([&order, i] { order.push_back(i); }));
    alarms.back()->set(*loop, loop.now() + 1s);
  }
  loop.advance(1s);
  EXPECT_EQ(order, (std::vector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(Timers, can_be_moved_both_ways) {
  TestLoop loop;
  Alarm alarm;
  alarm.set(*loop, loop.now() + 5s);
  alarm.set(*loop, loop.now() + 1s);
  EXPECT_EQ(loop->next_deadline(), loop.now() + 1s);
  alarm.set(*loop, loop.now() + 3s);
  loop.advance(2s);
  EXPECT_EQ(alarm.rung, 0);
  EXPECT_TRUE(alarm.is_set());
  loop.advance(1s);
  EXPECT_EQ(alarm.rung, 1);
  EXPECT_FALSE(alarm.is_set());
  loop.advance(10s);
  EXPECT_EQ(alarm.rung, 1);
}

TEST(Timers, that_are_cancelled_or_destroyed_do_not_ring) {
  TestLoop loop;
  int rung = 0;
  Alarm cancelled{[&] { ++rung; }};
  cancelled.set(*loop, loop.now() + 1s);
  cancelled.cancel();
  cancelled.cancel();
  {
    Alarm destroyed{[&] { ++rung; }};
    destroyed.set(*loop, loop.now() + 1s);
  }
  EXPECT_EQ(loop->next_deadline(), std::nullopt);
  loop.advance(2s);
  EXPECT_EQ(rung, 0);
}

TEST(Timers, may_cancel_and_destroy_others_that_are_due_with_them) {
  TestLoop loop;
  Alarm second;
  auto third = std::make_unique<Alarm>();
  Alarm first{[&] {
    second.cancel();
    third.reset();
  }};
  for (Alarm* alarm : {&first, &second, third.get()}) alarm->set(*loop, loop.now() + 1s);
  loop.advance(1s);
  EXPECT_EQ(first.rung, 1);
  EXPECT_EQ(second.rung, 0);
}

TEST(Timers, may_destroy_themselves) {
  TestLoop loop;
  std::unique_ptr<Alarm> alarm;
  alarm = std::make_unique<Alarm>([&] { alarm.reset(); });
  alarm->set(*loop, loop.now() + 1s);
  loop.advance(1s);
  EXPECT_EQ(alarm, nullptr);
}

TEST(Timers, that_are_set_to_the_past_in_a_callback_do_not_keep_the_loop) {
  TestLoop loop;
  int rounds = 0;
  Alarm* self = nullptr;
  Alarm restless{[&] {
    if (++rounds < 1000) self->set(*loop, loop.now() - 1h);
  }};
  self = &restless;
  restless.set(*loop, loop.now());
  loop->run_timers();
  EXPECT_EQ(rounds, 1);
  loop->run_timers();
  EXPECT_EQ(rounds, 2);
  restless.cancel();
}

TEST(Timers, that_are_set_to_the_past_in_a_callback_come_behind_what_is_due) {
  TestLoop loop;
  std::vector<int> order;
  Alarm past{[&] { order.push_back(3); }};
  Alarm second{[&] { order.push_back(2); }};
  Alarm first{[&] {
    order.push_back(1);
    past.set(*loop, loop.now() - 1h);
  }};
  first.set(*loop, loop.now() + 1s);
  second.set(*loop, loop.now() + 1s);
  loop.advance(1s);
  EXPECT_EQ(order, (std::vector{1, 2, 3}));
}

TEST(Timers, agree_with_a_sorted_list_whatever_is_done_to_them) {
  TestLoop loop;
  std::mt19937 random{7};
  std::array<Alarm, 200> alarms;
  for (int step = 0; step < 20000; ++step) {
    auto& alarm = alarms[random() % alarms.size()];
    if (random() % 3 == 0) {
      alarm.cancel();
    } else {
      alarm.set(*loop, loop.now() + std::chrono::milliseconds(random() % 1000));
    }
    if (step % 100 == 0) loop.advance(std::chrono::milliseconds(random() % 50));
    std::optional<TimePoint> earliest;
    if (step % 50 == 0) {
      for (const auto& each : alarms) {
        if (each.is_set() && (!earliest || each.deadline() < *earliest)) earliest = each.deadline();
      }
      ASSERT_EQ(loop->next_deadline(), earliest);
    }
  }
}

TEST(Timers, may_be_a_hundred_thousand) {
  TestLoop loop;
  std::vector<std::unique_ptr<Alarm>> alarms;
  for (int i = 0; i < 100'000; ++i) {
    alarms.push_back(std::make_unique<Alarm>());
    alarms.back()->set(*loop, loop.now() + std::chrono::microseconds((i * 7919) % 1'000'000));
  }
  for (std::size_t i = 0; i < alarms.size(); i += 2) alarms[i]->cancel();
  loop->run_timers();
  for (std::size_t i = 1; i < alarms.size(); i += 4) alarms[i].reset();
  Alarm last;
  last.set(*loop, loop.now() + 1s);
  loop.advance(1s);
  EXPECT_EQ(last.rung, 1);
  int rung = 0;
  for (const auto& alarm : alarms) rung += alarm ? alarm->rung : 0;
  EXPECT_EQ(rung, 25'000);
}

TEST(Timers, ring_on_the_real_clock_and_never_early) {
  Loop loop;
  TimePoint rung{};
  Alarm moved{[&] { loop.stop(); }};
  Alarm alarm{[&] { rung = loop.now(); }};
  const auto begun = loop.now();
  moved.set(loop, begun + 1ms);
  moved.set(loop, begun + 20ms);
  alarm.set(loop, begun + 5ms);  // earlier than what the system timer is set to
  loop.run();
  EXPECT_GE(rung, begun + 5ms);
  EXPECT_GE(loop.now(), begun + 20ms);
}

TEST(Timers, may_outlive_the_loop) {
  Alarm alarm;
  {
    Loop loop;
    alarm.set(loop, loop.now() + 1h);
  }
  EXPECT_FALSE(alarm.is_set());
  alarm.cancel();
}

// ---- Those that hear of a drain, and of the end

class Resident final : public detail::Drainable {
 public:
  explicit Resident(Loop& loop, std::function<void()> then = {}) : then_(std::move(then)) {
    join(loop);
  }
  using Drainable::leave;
  int drained = 0;
  int abandoned = 0;

 private:
  void drain() noexcept override {
    ++drained;
    if (then_) then_();
  }
  void abandon() noexcept override {
    ++abandoned;
    if (then_) then_();
  }
  std::function<void()> then_;
};

/// A drain and an abandonment treat their members alike.
class Members : public ::testing::TestWithParam<bool> {
 protected:
  void tell() { GetParam() ? loop->abandon_members() : loop->drain(); }
  static int told(const Resident& resident) {
    return GetParam() ? resident.abandoned : resident.drained;
  }
  TestLoop loop;
};

INSTANTIATE_TEST_SUITE_P(, Members, ::testing::Bool(),
                         [](const auto& tested) { return tested.param ? "abandoned" : "drained"; });

TEST_P(Members, are_told_once_each) {
  Resident a{*loop};
  Resident b{*loop};
  Resident gone{*loop};
  gone.leave();
  tell();
  EXPECT_EQ(told(a), 1);
  EXPECT_EQ(told(b), 1);
  EXPECT_EQ(told(gone), 0);
  EXPECT_TRUE(loop->draining());
  tell();
  EXPECT_EQ(told(a), 2) << "it is still there";
}

TEST_P(Members, may_leave_and_die_while_others_are_told) {
  auto first = std::make_unique<Resident>(*loop);
  auto last = std::make_unique<Resident>(*loop);
  int told_middle = 0;
  Resident middle{*loop, [&] {
                    ++told_middle;
                    first.reset();
                    last.reset();
                  }};
  tell();
  EXPECT_EQ(told_middle, 1);
}

TEST_P(Members, may_destroy_themselves) {
  std::vector<std::unique_ptr<Resident>> residents(3);
  int left = 3;
  for (auto& resident : residents) {
    resident = std::make_unique<Resident>(*loop, [&] {
      --left;
      resident.reset();
    });
  }
  tell();
  EXPECT_EQ(left, 0);
  EXPECT_TRUE(loop->members().empty());
}

TEST_P(Members, may_outlive_the_loop) {
  std::optional<Loop> loop_that_ends{std::in_place};
  Resident a{*loop_that_ends};
  Resident b{*loop_that_ends};
  loop_that_ends.reset();
  EXPECT_EQ(a.abandoned, 1);
  EXPECT_EQ(b.abandoned, 1);
  a.leave();
}

TEST(Drain, does_not_tell_those_that_join_meanwhile) {
  TestLoop loop;
  std::optional<Resident> late;
  Resident resident{*loop, [&] { late.emplace(*loop); }};
  loop->drain();
  EXPECT_EQ(late->drained, 0) << "they look at draining()";
}

TEST(Abandonment, tells_those_that_join_meanwhile) {
  TestLoop loop;
  std::optional<Resident> late;
  Resident resident{*loop, [&] {
                      if (!late) late.emplace(*loop);
                    }};
  loop->abandon_members();
  EXPECT_EQ(late->abandoned, 1);
  EXPECT_EQ(resident.abandoned, 1);
}

TEST(Abandonment, happens_with_the_loop_as_the_current_one) {
  bool current = false;
  Loop* loop = nullptr;
  std::optional<Resident> resident;
  {
    Loop ending;
    loop = &ending;
    resident.emplace(ending, [&] { current = Loop::current() == loop; });
  }
  EXPECT_TRUE(current);
}

// ---- The rest

TEST(ALoop, is_the_threads_current_one_while_it_runs_something) {
  TestLoop loop;
  EXPECT_EQ(Loop::current(), nullptr);
  EXPECT_THROW((void)Loop::require(), Error);
  Loop* seen = nullptr;
  loop->post([&] { seen = Loop::current(); });
  loop.settle();
  EXPECT_EQ(seen, &*loop);
  EXPECT_EQ(Loop::current(), nullptr);
}

TEST(ALoop, destroys_posted_functions_that_never_ran_while_it_is_whole) {
  std::optional<Loop> loop{std::in_place};
  struct Debtor {
    Loop* loop;
    char* block;
    ~Debtor() { loop->blocks().give_back(block); }
  };
  auto debtor = std::make_shared<Debtor>(&*loop, loop->blocks().take().data());
  loop->post([debtor = std::move(debtor)] {});
  loop.reset();
}

TEST(ALoop, says_once_that_its_last_connection_has_gone) {
  TestLoop loop;
  int empty = 0;
  loop->connection_opened();
  loop->connection_opened();
  loop->when_empty([&] { ++empty; });
  loop->connection_closed();
  loop.settle();
  EXPECT_EQ(empty, 0);
  loop->connection_closed();
  EXPECT_EQ(empty, 0) << "posted, not called from inside";
  loop.settle();
  EXPECT_EQ(empty, 1);
  loop->when_empty([&] { ++empty; });
  loop.settle();
  EXPECT_EQ(empty, 2);
}

TEST(ALoop, says_to_all_who_ask_that_its_last_connection_has_gone) {
  TestLoop loop;
  std::string heard;
  loop->connection_opened();
  loop->when_empty([&] { heard += "first "; });
  loop->when_empty([&] { heard += "second "; });
  loop->when_empty([&] { heard += "third "; });
  loop->connection_closed();
  loop.settle();
  EXPECT_EQ(heard, "first second third ");
}

TEST(ALoop, says_nothing_of_its_last_connection_where_another_takes_its_place) {
  TestLoop loop;
  int empty = 0;
  loop->connection_opened();
  loop->when_empty([&] { ++empty; });
  loop->connection_closed();
  loop->connection_opened();
  loop.settle();
  EXPECT_EQ(empty, 0);
  loop->connection_closed();
  loop.settle();
  EXPECT_EQ(empty, 1);
}

}  // namespace
}  // namespace hotline
