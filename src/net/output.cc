#include "net/output.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <new>
#include <utility>

#include "net/loop.h"

namespace hotline {

using detail::Segment;

// A piece of backlog in memory of its own; several small writes share one.
struct Output::Owned final : Segment {
  std::size_t end = 0;
  std::size_t capacity = 0;

  char* bytes() { return reinterpret_cast<char*>(this + 1); }

  static Owned* make(std::size_t capacity) {
    auto* memory = std::malloc(sizeof(Owned) + capacity);
    if (!memory) return nullptr;
    auto* owned = new (memory) Owned;
    owned->capacity = capacity;
    return owned;
  }
};

// A piece of backlog that others have, too.
struct Output::Shared final : Segment {
  explicit Shared(const detail::SharedBytes& shared) : bytes(shared) {}
  detail::SharedBytes bytes;
};

void Output::free_own(Segment* segment) noexcept {
  if (segment->kind_ == Segment::Kind::shared) {
    delete static_cast<Shared*>(segment);
    return;
  }
  auto* owned = static_cast<Owned*>(segment);
  owned->~Owned();
  std::free(owned);
}

Output::Output(Loop& loop, OutputListener& listener) noexcept
    : cork_(loop.cork()), listener_(listener) {}

void Output::detach() noexcept {
  if (!stream_) return;
  if (cork_.belongs_to(*this)) flush();
  std::exchange(stream_, nullptr)->cancel_wait(*this);
  waiting_ = false;
  if (error_ == 0) error_ = EPIPE;
  tell_all();
}

void Output::tell_all() noexcept {
  // Whoever waits is woken by this, and may destroy the connection and this with it.
  bool gone = false;
  auto* outer = std::exchange(gone_, &gone);
  while (first_) {
    auto* segment = pop();
    if (segment->kind_ != Segment::Kind::waiting) {
      free_own(segment);
    } else {
      segment->sent();
      if (gone) {
        if (outer) *outer = true;
        return;
      }
    }
  }
  gone_ = outer;
}

std::string Output::take_unsent() {
  std::string unsent;
  for (const auto* segment = first_; segment; segment = segment->next_) {
    unsent.append(segment->data_, segment->size_);
  }
  auto& cork = cork_;
  if (cork.belongs_to(*this)) {
    unsent.append(cork.bytes().data(), cork.size());
    cork.clear();
  }
  detach();
  return unsent;
}

bool Output::write(std::span<const char> head, std::span<const char> body,
                   Segment* waiting) noexcept {
  if (!stream_ || error_ != 0) return false;
  const auto size = head.size() + body.size();
  auto& cork = cork_;
  if (!first_ && size <= corked_limit) {
    cork.take(*this);
    if (cork.free().size() < size) {
      flush();
      if (error_ != 0) return false;
      if (!first_) cork.take(*this);
    }
    if (!first_) {
      auto* target = cork.free().data();
      std::memcpy(target, head.data(), head.size());
      if (!body.empty()) std::memcpy(target + head.size(), body.data(), body.size());
      cork.commit(size);
      if (!cork.in_turn()) {
        // Nobody is there to flush at the end of the turn.
        flush();
      }
      return false;
    }
  }
  if (first_) {
    take({}, head, body, waiting);
    return waiting && waiting->queued();
  }
  if (cork.belongs_to(*this) && cork.size() > 0) {
    if (cork.free().size() < head.size()) {
      flush();
      return write(head, body, waiting);
    }
    // What was corked before goes first, in the same system call.
    std::memcpy(cork.free().data(), head.data(), head.size());
    cork.commit(head.size());
    const auto corked = cork.bytes();
    cork.clear();
    take(stream_->try_write(corked, body), corked, body, waiting);
  } else {
    take(stream_->try_write(head, body), head, body, waiting);
  }
  return waiting && waiting->queued();
}

// Queues what a transfer has left over.
void Output::take(Transfer transfer, std::span<const char> head, std::span<const char> body,
                  Segment* waiting) noexcept {
  if (transfer.failed()) return fail(transfer.error);
  const auto of_head = std::min(transfer.size, head.size());
  head = head.subspan(of_head);
  body = body.subspan(transfer.size - of_head);
  if (head.empty() && body.empty()) return;
  if (waiting && backlog_ + head.size() + body.size() > high_water) {
    append_copy(head);
    append(*waiting, body);
  } else {
    append_copy(head);
    append_copy(body);
  }
  wait();
}

bool Output::write(const detail::SharedBytes& shared, Segment* waiting) noexcept {
  const auto bytes = shared.span();
  auto& cork = cork_;
  if (bytes.size() < shared_least || (!first_ && bytes.size() <= corked_limit)) {
    write(bytes, {});
  } else if (stream_ && error_ == 0) {
    std::size_t sent = 0;
    if (!first_) {
      const bool ours = cork.belongs_to(*this) && cork.size() > 0;
      const auto corked = ours ? cork.bytes() : std::span<const char>{};
      if (ours) cork.clear();
      const auto transfer = ours ? stream_->try_write(corked, bytes) : stream_->try_write(bytes);
      if (transfer.failed()) {
        fail(transfer.error);
        return false;
      }
      const auto of_cork = std::min(transfer.size, corked.size());
      append_copy(corked.subspan(of_cork));
      sent = transfer.size - of_cork;
    }
    if (sent < bytes.size()) append_shared(shared, sent);
    if (first_) wait();
  }
  return waiting && wait_if_high(*waiting);
}

void Output::append_shared(const detail::SharedBytes& bytes, std::size_t from) noexcept {
  const auto rest = bytes.span().subspan(from);
  auto* segment = new (std::nothrow) Shared{bytes};
  if (!segment) return fail(ENOMEM);
  segment->kind_ = Segment::Kind::shared;
  append(*segment, rest);
}

bool Output::wait_if_high(Segment& fence) noexcept {
  if (backlog_ <= high_water || error_ != 0) return false;
  append(fence, {});
  return true;
}

bool Output::rest(Segment& fence) noexcept {
  flush_if_corked();
  if (!stream_ || error_ != 0) return false;
  append(fence, {});
  wait();
  return true;
}

void Output::append(Segment& segment, std::span<const char> bytes) noexcept {
  segment.data_ = bytes.data();
  segment.size_ = bytes.size();
  segment.next_ = nullptr;
  segment.queued_ = true;
  (last_ ? last_->next_ : first_) = &segment;
  last_ = &segment;
  grow(bytes.size());
}

void Output::append_copy(std::span<const char> bytes) noexcept {
  if (bytes.empty()) return;
  if (last_ && last_->kind_ == Segment::Kind::copied) {
    auto* owned = static_cast<Owned*>(last_);
    const auto count = std::min(bytes.size(), owned->capacity - owned->end);
    std::memcpy(owned->bytes() + owned->end, bytes.data(), count);
    owned->end += count;
    owned->size_ += count;
    grow(count);
    bytes = bytes.subspan(count);
    if (bytes.empty()) return;
  }
  auto* owned = Owned::make(std::max<std::size_t>(bytes.size(), 4096 - sizeof(Owned)));
  if (!owned) return fail(ENOMEM);
  std::memcpy(owned->bytes(), bytes.data(), bytes.size());
  owned->end = bytes.size();
  owned->kind_ = Segment::Kind::copied;
  append(*owned, {owned->bytes(), bytes.size()});
}

Segment* Output::pop() noexcept {
  auto* segment = first_;
  first_ = segment->next_;
  if (!first_) last_ = nullptr;
  shrink(segment->size_);
  segment->next_ = nullptr;
  segment->queued_ = false;
  return segment;
}

void Output::abandon(Segment& segment) noexcept {
  if (!segment.queued_) return;
  Segment* before = nullptr;
  for (auto* at = first_; at != &segment; at = at->next_) before = at;
  Owned* copy = nullptr;
  if (segment.size_ > 0) {
    copy = Owned::make(segment.size_);
    if (copy) {
      std::memcpy(copy->bytes(), segment.data_, segment.size_);
      copy->kind_ = Segment::Kind::copied;
      copy->queued_ = true;
      copy->end = copy->size_ = segment.size_;
      copy->data_ = copy->bytes();
      copy->next_ = segment.next_;
    }
  }
  auto* after = copy ? copy : segment.next_;
  (before ? before->next_ : first_) = after;
  if (last_ == &segment) last_ = copy ? copy : before;
  segment.next_ = nullptr;
  segment.queued_ = false;
  if (segment.size_ > 0 && !copy) {
    shrink(segment.size_);
    fail(ENOMEM);  // a hole in the stream of bytes cannot be sent over
  }
}

void Output::flush_if_corked() noexcept {
  if (cork_.belongs_to(*this)) flush();
}

void Output::flush() noexcept {
  auto& cork = cork_;
  const auto bytes = cork.bytes();
  cork.clear();
  if (bytes.empty() || !stream_ || error_ != 0) return;
  if (first_) {
    append_copy(bytes);
  } else {
    take(stream_->try_write(bytes), bytes, {}, nullptr);
  }
}

void Output::consume(std::size_t size) noexcept {
  for (auto* segment = first_; size > 0; segment = segment->next_) {
    const auto count = std::min(size, segment->size_);
    segment->data_ += count;
    segment->size_ -= count;
    shrink(count);
    size -= count;
  }
}

void Output::fail(int error) noexcept {
  if (error_ != 0) return;
  error_ = error;
  wait();  // a failed stream is ready at once: the listener is told from the loop, not from in here
}

void Output::wait() noexcept {
  if (waiting_ || !stream_) return;
  waiting_ = true;
  stream_->wait_writable(*this);
}

void Output::ready() noexcept {
  waiting_ = false;
  if (error_ != 0) return listener_.output_failed(error_);
  bool gone = false;
  auto* outer = std::exchange(gone_, &gone);
  while (first_) {
    if (first_->size_ > 0) {
      const auto* second = first_->next_;
      const auto tail = second ? std::span{second->data_, second->size_} : std::span<const char>{};
      const auto wanted = first_->size_ + tail.size();
      const auto transfer = stream_->try_write({first_->data_, first_->size_}, tail);
      if (transfer.failed()) {
        gone_ = outer;
        error_ = transfer.error;
        return listener_.output_failed(error_);
      }
      consume(transfer.size);
      if (transfer.size < wanted) wait();
    }
    while (first_ && first_->size_ == 0) {
      auto* segment = pop();
      if (segment->kind_ != Segment::Kind::waiting) {
        free_own(segment);
        continue;
      }
      const bool waited = waiting_;
      segment->sent();
      if (gone) {
        if (outer) *outer = true;
        return;
      }
      if (waiting_ && !waited) break;  // whoever was told rests
      if (!stream_) {
        gone_ = outer;
        return;
      }
    }
    if (waiting_) break;
  }
  gone_ = outer;
  listener_.output_progressed();
}

}  // namespace hotline
