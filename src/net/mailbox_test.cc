#include "net/mailbox.h"

#include <thread>

#include "net/net_fixture.h"

namespace hotline {
namespace {

class Note final : public Mailbox::Letter {
 public:
  Note(std::string& log, std::string text) : log_(log), text_(std::move(text)) {}
  std::function<void()> then;

 private:
  void arrived() noexcept override {
    log_ += text_;
    if (then) then();
  }
  std::string& log_;
  std::string text_;
};

TEST(MailboxTest, brings_letters_in_their_order_and_with_one_post) {
  TestLoop loop;
  std::string log;
  for (const auto* text : {"a", "b", "c"}) {
    loop->mailbox()->push(std::make_shared<Note>(log, text));
  }
  EXPECT_EQ(log, "");
  EXPECT_EQ(loop->context().poll(), 1u);
  EXPECT_EQ(log, "abc");
}

TEST(MailboxTest, a_letter_left_by_another_comes_the_next_time) {
  TestLoop loop;
  std::string log;
  auto first = std::make_shared<Note>(log, "first ");
  first->then = [&] { loop->mailbox()->push(std::make_shared<Note>(log, "second")); };
  loop->mailbox()->push(first);
  EXPECT_EQ(loop->context().poll_one(), 1u);
  EXPECT_EQ(log, "first ");
  loop.settle();
  EXPECT_EQ(log, "first second");
}

TEST(MailboxTest, outlives_its_loop_and_drops_what_comes_late) {
  std::string log;
  std::shared_ptr<Mailbox> mailbox;
  auto early = std::make_shared<Note>(log, "early");
  {
    TestLoop loop;
    mailbox = loop->mailbox();
  }
  {
    Loop loop;
    mailbox = loop.mailbox();
    mailbox->push(early);
  }
  EXPECT_EQ(early.use_count(), 1);
  mailbox->push(early);
  EXPECT_EQ(early.use_count(), 1);
  EXPECT_EQ(log, "");
}

TEST(MailboxTest, takes_letters_from_many_threads_while_the_loop_ends) {
  for (int round = 0; round < 50; ++round) {
    std::string log;
    auto loop = std::make_unique<Loop>();
    const auto mailbox = loop->mailbox();
    const auto note = std::make_shared<Note>(log, "x");
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int left = 0; left < 100; ++left) mailbox->push(note);
      });
    }
    for (int i = 0; i < round; ++i) loop->run_ready();
    loop.reset();
    for (auto& thread : threads) thread.join();
    EXPECT_EQ(note.use_count(), 1);
    EXPECT_LE(log.size(), 400u);
  }
}

}  // namespace
}  // namespace hotline
