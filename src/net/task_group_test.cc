#include <hotline/net/task_group.h>

#include <memory>
#include <optional>
#include <stdexcept>

#include <hotline/base/error.h>
#include <hotline/net/sleep.h>

#include "net/net_fixture.h"

namespace hotline {
namespace {

/// Notes that a frame has ended, however.
struct Note {
  Note(std::string& destination, std::string text) : log(destination), word(std::move(text)) {}
  Note(const Note&) = delete;
  Note& operator=(const Note&) = delete;
  ~Note() { log += word; }
  std::string& log;
  std::string word;
};

Task<> wait_and_say(Duration duration, std::string& log, std::string word) {
  Note note{log, "~"};
  co_await sleep(duration);
  log += word;
}

Task<> fail_after(Duration duration, std::string message) {
  if (duration > Duration{}) co_await sleep(duration);
  throw std::runtime_error(message);
}

Task<> cancel_after(Duration duration) {
  co_await sleep(duration);
  throw Cancelled();
}

Task<> join(TaskGroup& group, std::string& log) {
  try {
    co_await group.join();
    log += "joined";
  } catch (const std::exception& error) {
    log += error.what();
  }
}

TEST(TaskGroup, starts_a_task_at_once) {
  TestLoop loop;
  TaskGroup group;
  std::string log;
  group.spawn([](std::string& text) -> Task<> {
    text += "inline";
    co_return;
  }(log));
  EXPECT_EQ(log, "inline");
  EXPECT_EQ(group.size(), 0u);
  group.spawn(Task<>{});
  EXPECT_EQ(group.size(), 0u);
}

TEST(TaskGroup, joins_when_all_have_ended) {
  TestLoop loop;
  std::string log;
  loop.run([](std::string& text) -> Task<> {
    TaskGroup group;
    group.spawn(wait_and_say(2s, text, "b"));
    group.spawn(wait_and_say(1s, text, "a"));
    co_await group.join();
    text += "joined";
  }(log));
  loop.advance(1s);
  EXPECT_EQ(log, "a~");
  loop.advance(1s);
  EXPECT_EQ(log, "a~b~joined");
}

TEST(TaskGroup, joins_at_once_where_nothing_is_under_way) {
  TestLoop loop;
  TaskGroup group;
  std::string log;
  loop.run(join(group, log));
  EXPECT_EQ(log, "joined");
}

TEST(TaskGroup, leaving_the_scope_cancels) {
  TestLoop loop;
  std::string log;
  loop.run([](std::string& text) -> Task<> {
    Note before{text, "scope"};
    TaskGroup group;
    group.spawn(wait_and_say(2s, text, "never"));
    group.spawn(wait_and_say(3s, text, "never"));
    co_await sleep(1s);
  }(log));
  loop.advance(5s);
  EXPECT_EQ(log, "~~scope");
}

TEST(TaskGroup, that_one_of_its_running_tasks_cancels_ends_that_one_when_it_suspends) {
  TestLoop loop;
  std::optional<TaskGroup> group{std::in_place};
  std::string log;
  {
    Turn turn{*loop};
    group->spawn([](std::optional<TaskGroup>& its_group, std::string& text) -> Task<> {
      Note note{text, "~"};
      co_await sleep(1s);
      its_group.reset();
      text += "still running";
      co_await sleep(1s);
      text += "never";
    }(group, log));
  }
  loop.advance(1s);
  EXPECT_EQ(log, "still running~");
  EXPECT_FALSE(group);
  loop.advance(5s);
}

TEST(TaskGroup, hands_the_first_failure_to_whoever_joins_once) {
  TestLoop loop;
  TaskGroup group;
  std::string log;
  {
    Turn turn{*loop};
    group.spawn(fail_after(2s, "second"));
    group.spawn(fail_after(1s, "first"));
  }
  loop.run(join(group, log));
  loop.advance(5s);
  EXPECT_EQ(log, "first");
  loop.run(join(group, log));
  EXPECT_EQ(log, "firstjoined");
  EXPECT_TRUE(loop.log().lines.empty());
}

TEST(TaskGroup, does_not_take_a_cancellation_for_a_failure) {
  TestLoop loop;
  TaskGroup group;
  std::string log;
  {
    Turn turn{*loop};
    group.spawn(cancel_after(1s));
  }
  loop.run(join(group, log));
  loop.advance(1s);
  EXPECT_EQ(log, "joined");
}

TEST(TaskGroup, logs_a_failure_that_nobody_has_joined) {
  TestLoop loop;
  {
    Turn turn{*loop};
    TaskGroup group;
    group.spawn(fail_after({}, "oh \"no\"\n"));
    TaskGroup good;
    good.spawn(Task<>{});
  }
  ASSERT_EQ(loop.log().lines.size(), 1u);
  EXPECT_EQ(loop.log().errors, 1);
  EXPECT_NE(loop.log().lines[0].find(R"(oh \x22no\x22\x0a)"), std::string::npos);
}

TEST(TaskGroup, takes_tasks_from_its_tasks) {
  TestLoop loop;
  TaskGroup group;
  std::string log;
  {
    Turn turn{*loop};
    group.spawn([](TaskGroup& its_group, std::string& text) -> Task<> {
      its_group.spawn(wait_and_say(1s, text, "inner "));
      text += "outer ";
      co_return;
    }(group, log));
  }
  loop.run(join(group, log));
  EXPECT_EQ(group.size(), 1u);
  loop.advance(1s);
  EXPECT_EQ(log, "outer inner ~joined");
}

TEST(TaskGroup, that_is_cancelled_tells_whoever_joins) {
  TestLoop loop;
  TaskGroup group;
  std::string log;
  {
    Turn turn{*loop};
    group.spawn(wait_and_say(1h, log, "never"));
  }
  loop.run(join(group, log));
  {
    Turn turn{*loop};
    group.cancel();
  }
  loop.advance(0s);
  EXPECT_EQ(log, "~joined");
}

TEST(TaskGroup, that_a_member_cancels_tells_whoever_joins_when_that_one_has_ended) {
  TestLoop loop;
  std::string log;
  loop.run([](std::string& text) -> Task<> {
    Note before{text, "scope"};
    TaskGroup group;
    group.spawn([](TaskGroup& its_group, std::string& its_text) -> Task<> {
      Note note{its_text, "~"};
      co_await sleep(1s);
      its_group.cancel();
      its_text += "running ";  // the scope is still there
      co_await sleep(1s);
    }(group, text));
    co_await group.join();
  }(log));
  loop.advance(1s);
  EXPECT_EQ(log, "running ~scope");
}

TEST(TaskGroup, may_be_destroyed_with_the_last_of_its_tasks) {
  // The task's parameter holds what has the group.
  struct Room {
    TaskGroup group;
  };
  for (const bool cancelled : {false, true}) {
    TestLoop loop;
    auto room = std::make_shared<Room>();
    const std::weak_ptr<Room> watch = room;
    {
      Turn turn{*loop};
      room->group.spawn([](std::shared_ptr<Room>) -> Task<> { co_await sleep(1s); }(room));
    }
    if (cancelled) {
      auto* group = &room->group;
      room.reset();
      group->cancel();
    } else {
      room.reset();
      loop.advance(1s);
    }
    EXPECT_TRUE(watch.expired());
  }
}

TEST(TaskGroup, forgets_a_join_that_is_cancelled) {
  TestLoop loop;
  TaskGroup group;
  std::string log;
  {
    Turn turn{*loop};
    group.spawn(wait_and_say(1s, log, "a"));
  }
  loop.run(join(group, log));
  loop.cancel();
  loop.advance(1s);
  EXPECT_EQ(log, "a~");
}

}  // namespace
}  // namespace hotline
