#pragma once

#include <memory>
#include <mutex>
#include <vector>

namespace hotline {

class Loop;

/// What other threads leave for a loop. It is posted to the loop once for all that has gathered
/// meanwhile, however many letters that is. The loop and those who write to it share it, so that
/// writing to a loop that has ended is safe, and does nothing.
class Mailbox {
 public:
  class Letter {
   public:
    Letter() = default;
    Letter(const Letter&) = delete;
    Letter& operator=(const Letter&) = delete;
    virtual ~Letter() = default;
    /// On the loop's thread, inside a Turn.
    virtual void arrived() noexcept = 0;
  };

  explicit Mailbox(Loop& loop) noexcept : loop_(&loop) {}
  Mailbox(const Mailbox&) = delete;
  Mailbox& operator=(const Mailbox&) = delete;

  /// From any thread. Letters arrive in the order in which they were left.
  void push(std::shared_ptr<Letter> letter);
  /// The loop ends: what is left, and what is pushed from now on, is dropped.
  void close() noexcept;

 private:
  void deliver() noexcept;

  std::mutex mutex_;
  Loop* loop_;
  std::vector<std::shared_ptr<Letter>> letters_;
  std::vector<std::shared_ptr<Letter>> arriving_;  // the loop's thread only; kept for its memory
};

}  // namespace hotline
