#include "websocket/outbox.h"

#include <utility>

#include <boost/container/static_vector.hpp>

#include <hotline/base/error.h>

#include "net/loop.h"
#include "websocket/connection_core.h"

namespace hotline::websocket {
namespace {

// One visit of the loop hands over at most so much: others wait, too.
constexpr std::size_t fair_bytes = 256 * 1024;
constexpr int fair_batches = 32;

}  // namespace

struct Outbox::Batch {
  boost::container::static_vector<Frame, 32> frames;
  std::size_t bytes = 0;
  bool last = false;  // nothing is left behind it
  std::optional<Goodbye> goodbye;
};

void Outbox::Queue::push(Entry entry) {
  if (size() == entries_.size()) {
    std::vector<Entry> larger(entries_.empty() ? 4 : 2 * entries_.size());
    for (auto at = first_; at != end_; ++at)
      larger[at & (larger.size() - 1)] = std::move((*this)[at]);
    entries_ = std::move(larger);
  }
  (*this)[end_++] = std::move(entry);
}

Outbox::Outbox(std::shared_ptr<Mailbox> mailbox, protocol::Role role, const SenderOptions& options)
    : mailbox_(std::move(mailbox)), options_(options), role_(role) {
  if (options.messages == 0) throw Error(Fault::bad_option, "SenderOptions::messages: 0");
  if (options.bytes == 0) throw Error(Fault::bad_option, "SenderOptions::bytes: 0");
}

// ---- From any thread

SendStatus Outbox::send(const Prepared& message, std::string_view key) {
  const auto size = message.size();
  Queue dropped;  // freed behind the lock
  std::unique_lock lock{mutex_};
  if (!is_open()) return SendStatus::closed;
  if (options_.overflow == Overflow::disconnect && !fits(size)) {
    ++counters_.dropped;
    shut(Goodbye{protocol::CloseCode::try_again_later, "the outbox is full"});
    dropped = drop_all();
    wake(lock);
    return SendStatus::closed;
  }
  if (size > options_.bytes || (options_.overflow == Overflow::drop_newest && !fits(size))) {
    ++counters_.dropped;
    return SendStatus::dropped;
  }

  const bool keyed = options_.overflow == Overflow::conflate && !key.empty();
  const auto older = keyed ? keys_.find(key) : keys_.end();
  if (older != keys_.end()) {
    auto& place = queue_[older->second];
    const auto others = [&] { return bytes_ - place.frame.payload().size(); };
    while (size > options_.bytes - others() && &queue_.front() != &place) drop_oldest(dropped);
    ++counters_.conflated;
    if (size <= options_.bytes - others()) {
      bytes_ = others() + size;
      dropped.push(Entry{std::exchange(place.frame, message.frame())});
      ++counters_.queued;
      return SendStatus::queued;
    }
    // It was the oldest, and without it there is room, though not in its place.
    dropped.push(pop());
  }
  while (!fits(size)) drop_oldest(dropped);

  const auto* const kept = keyed ? &keys_.emplace(key, queue_.end()).first->first : nullptr;
  queue_.push({message.frame(), kept});
  bytes_ += size;
  ++counters_.queued;
  wake(lock);
  return SendStatus::queued;
}

void Outbox::close(protocol::CloseCode code, std::string_view reason) {
  if (!protocol::may_be_sent(code, role_)) {
    throw Error(Fault::bad_option,
                "close: the code " + std::to_string(static_cast<int>(code)) + " cannot be sent");
  }
  std::unique_lock lock{mutex_};
  if (!is_open()) return;
  shut(Goodbye{code, std::string(reason)});
  wake(lock);
}

SenderCounters Outbox::counters() const {
  const std::lock_guard lock{mutex_};
  auto counters = counters_;
  counters.waiting = queue_.size();
  counters.waiting_bytes = bytes_;
  return counters;
}

// ---- Under the lock

bool Outbox::fits(std::size_t size) const noexcept {
  return queue_.size() < options_.messages && size <= options_.bytes &&
         bytes_ <= options_.bytes - size;
}

void Outbox::shut(std::optional<Goodbye> goodbye) noexcept {
  open_.store(false, std::memory_order_release);
  goodbye_ = std::move(goodbye);
}

void Outbox::wake(std::unique_lock<std::mutex>& lock) {
  if (std::exchange(scheduled_, true)) return;
  lock.unlock();
  mailbox_->push(shared_from_this());
}

Outbox::Entry Outbox::pop() noexcept {
  auto entry = queue_.pop();
  bytes_ -= entry.frame.payload().size();
  if (entry.key) keys_.erase(keys_.find(*entry.key));
  return entry;
}

void Outbox::drop_oldest(Queue& dropped) {
  dropped.push(pop());
  ++counters_.dropped;
}

Outbox::Queue Outbox::drop_all() noexcept {
  counters_.dropped += queue_.size();
  bytes_ = 0;
  keys_.clear();
  return std::exchange(queue_, Queue{});
}

// ---- The loop's thread

// As much as there is room for: if there is any, at least one message.
void Outbox::take(Batch& batch, std::size_t room) noexcept {
  batch.frames.clear();
  batch.bytes = 0;
  const std::lock_guard lock{mutex_};
  while (!queue_.empty() && batch.frames.size() < batch.frames.capacity() && batch.bytes < room) {
    batch.frames.push_back(pop().frame);
    batch.bytes += batch.frames.back().bytes.size();
  }
  counters_.sent += batch.frames.size();
  batch.last = queue_.empty();
  if (!batch.last) return;
  scheduled_ = false;
  queue_.shrink();
  batch.goodbye = std::exchange(goodbye_, std::nullopt);
}

void Outbox::deliver() noexcept {
  if (!core_) return;
  const CoreReference core{*core_};
  Batch batch;
  std::size_t bytes = 0;
  for (int batches = 0;; ++batches) {
    // Without room nothing is handed over; a goodbye that nothing goes before waits for none.
    const auto room = core->outbox_room();
    if (room != 0 && (batches == fair_batches || bytes >= fair_bytes)) {
      return mailbox_->push(shared_from_this());
    }
    take(batch, room);
    for (const auto& frame : batch.frames) core->write_prepared(frame);
    bytes += batch.bytes;
    if (batch.goodbye) core->start_close(batch.goodbye->code, batch.goodbye->reason);
    if (batch.last || room == 0) break;
  }
  if (waiting_ && is_drained()) tell(true);
}

void Outbox::deliver_rest() noexcept {
  if (!core_) return;
  const CoreReference core{*core_};
  {
    const std::lock_guard lock{mutex_};
    shut(std::nullopt);
  }
  for (Batch batch; !batch.last;) {
    take(batch, SIZE_MAX);
    for (const auto& frame : batch.frames) core->write_prepared(frame);
  }
}

void Outbox::detach() noexcept {
  const auto self = shared_from_this();
  core_ = nullptr;
  {
    Queue dropped;
    const std::lock_guard lock{mutex_};
    shut(std::nullopt);
    dropped = drop_all();
  }
  tell(false);
}

bool Outbox::is_drained() const {
  if (!core_ || core_->backlog() != 0) return false;
  const std::lock_guard lock{mutex_};
  return queue_.empty();
}

bool Outbox::has_nothing() const {
  const std::lock_guard lock{mutex_};
  return !scheduled_;
}

bool Outbox::is_on_loop() const noexcept {
  const auto* loop = Loop::current();
  return loop && loop->mailbox() == mailbox_;
}

void Outbox::wait(Sender::Drained& drained) noexcept {
  auto** last = &waiting_;
  while (*last) last = &(*last)->next_;
  *last = &drained;
}

void Outbox::cancel(Sender::Drained& drained) noexcept {
  for (auto** at = &waiting_; *at; at = &(*at)->next_) {
    if (*at != &drained) continue;
    *at = drained.next_;
    return;
  }
}

void Outbox::tell(bool drained) noexcept {
  while (auto* waiting = waiting_) {
    waiting_ = waiting->next_;
    waiting->waiting_ = false;
    waiting->drained_ = drained;
    waiting->resumption_.resume();
  }
}

}  // namespace hotline::websocket
