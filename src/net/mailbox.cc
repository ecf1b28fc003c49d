#include "net/mailbox.h"

#include <utility>

#include "net/loop.h"

namespace hotline {

void Mailbox::push(std::shared_ptr<Letter> letter) {
  const std::lock_guard lock{mutex_};
  if (!loop_) return;
  letters_.push_back(std::move(letter));
  if (letters_.size() > 1) return;
  // While the lock is held the loop does not end. (It may be destroyed before this runs, and its
  // mailbox with it.)
  loop_->post([mailbox = loop_->mailbox()] { mailbox->deliver(); });
}

void Mailbox::deliver() noexcept {
  {
    const std::lock_guard lock{mutex_};
    std::swap(letters_, arriving_);
  }
  // What is left meanwhile comes with the next post.
  for (const auto& letter : arriving_) letter->arrived();
  arriving_.clear();
}

void Mailbox::close() noexcept {
  std::vector<std::shared_ptr<Letter>> dropped;
  const std::lock_guard lock{mutex_};
  loop_ = nullptr;
  std::swap(letters_, dropped);
}

}  // namespace hotline
