#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <cstring>

#include <hotline/protocol/session.h>

// Where received bytes lie: the block, a message's own buffer, and what was left over when a block
// was taken back. Each byte is moved a bounded number of times, however the input is cut.
namespace hotline::protocol {
namespace {

// Receiving into less costs more in calls than it saves in copying.
constexpr std::size_t least_worthwhile = 4096;
constexpr std::size_t least_body = 512;

}  // namespace

struct Session::Leftover {
  std::size_t begin;
  std::size_t end;

  [[nodiscard]] char* bytes() noexcept { return reinterpret_cast<char*>(this + 1); }
  [[nodiscard]] std::size_t size() const noexcept { return end - begin; }
};

void Session::FreeLeftover::operator()(Leftover* leftover) const noexcept { std::free(leftover); }

bool Session::wants_block() const noexcept {
  return block_ == nullptr && !(receives_into_body() && !body_room().empty());
}

void Session::lend(std::span<char> block) noexcept {
  assert(block_ == nullptr && direct_ == 0);
  assert(block.size() >= min_block_size && block.size() <= max_block_size);
  block_ = block.data();
  capacity_ = static_cast<std::uint32_t>(block.size());
  begin_ = end_ = 0;
  refill();
}

char* Session::take_back() noexcept {
  if (body_complete_) {
    body_ = {};
    body_complete_ = false;
  }
  if (block_ == nullptr) return nullptr;
  if (place_ == Place::block) move_to_body();
  if (begin_ != end_) keep_leftover();
  begin_ = end_ = 0;
  return std::exchange(block_, nullptr);
}

bool Session::holds_bytes() const noexcept { return begin_ != end_ || leftover_ != nullptr; }

std::span<char> Session::prepare() noexcept {
  prepared_body_ = false;
  if (receives_into_body()) {
    const std::uint64_t missing = payload_size_ - payload_done_;
    if (body_room().empty() && direct_ == 0) {
      // Should it fail, the block will do; next_event() fails when it cannot empty it.
      static_cast<void>(make_room(std::min<std::uint64_t>(missing, least_worthwhile)));
    }
    const std::span<char> room = body_room();
    prepared_body_ = direct_ != 0 || !room.empty();
    if (prepared_body_) return room;
  }
  if (begin_ == end_) {
    begin_ = end_ = 0;
  } else if (begin_ != 0) {
    // The sooner it is moved the less there is to move, if a frame will not fit where it is;
    // besides, a small room is a small receive. What is moved is at the front then, and not moved
    // again.
    const std::size_t room = capacity_ - end_;
    const bool fits = place_ != Place::block || payload_size_ <= capacity_ - begin_;
    if (!fits || room < capacity_ / 4) {
      std::memmove(block_, block_ + begin_, end_ - begin_);
      end_ -= begin_;
      begin_ = 0;
    }
  }
  return {block_ + end_, capacity_ - end_};
}

std::span<char> Session::prepare_behind() noexcept {
  if (receives_into_body()) return prepare();
  prepared_body_ = false;
  if (block_ == nullptr) return {};
  return {block_ + end_, capacity_ - end_};
}

void Session::received(std::size_t size) noexcept {
  (prepared_body_ ? direct_ : end_) += static_cast<std::uint32_t>(size);
}

// A frame with much to come is received where it will stay. Bytes that are still in the block must
// be parsed before any that go there.
bool Session::receives_into_body() const noexcept {
  if (place_ != Place::body || begin_ != end_ || leftover_ != nullptr) return false;
  return direct_ != 0 || payload_size_ - payload_done_ >= capacity_ / 2;
}

// The free part of body_ as far as the frame under way needs it; nothing if that is too little to
// be worth a call and the frame needs more.
std::span<char> Session::body_room() const noexcept {
  const std::uint64_t missing = payload_size_ - payload_done_ - direct_;
  const std::uint64_t most = std::min<std::uint64_t>(missing, max_block_size);
  const std::span<char> room = body_.free_part();
  if (room.size() < std::min<std::uint64_t>(missing, least_worthwhile)) return {};
  return room.empty() ? room
                      : room.subspan(direct_, std::min<std::uint64_t>(most, room.size() - direct_));
}

// Makes room for `size` more bytes in body_, which are here or (few) about to be received. A
// declared length chooses among buffers that exist; what is allocated is about twice what was
// received.
bool Session::make_room(std::size_t size) noexcept {
  const std::size_t held = body_.size();
  const std::size_t needed = held + size;
  if (needed <= body_.capacity()) return true;
  const std::uint64_t frame_end = held + (payload_size_ - payload_done_);
  const std::uint64_t wanted = fin_ ? frame_end : std::max<std::uint64_t>(frame_end, 2 * held);
  if (BodyBuffer spare = BodyBuffer::cached(wanted); spare.capacity() != 0) {
    if (held != 0) {
      std::memcpy(spare.data(), body_.data(), held);
      spare.commit(held);
    }
    body_ = std::move(spare);
    return true;
  }
  std::uint64_t capacity = std::max<std::uint64_t>(2 * std::uint64_t{needed}, least_body);
  const std::uint64_t most = fin_ ? frame_end : std::max(frame_end, limits_->message_size);
  capacity = std::min(capacity, most);
  return body_.reserve(capacity);
}

// A message of which only a part is here leaves the block.
void Session::move_to_body() noexcept {
  place_ = Place::body;
  if (payload_done_ == 0) return;
  body_ = BodyBuffer::copy_of({block_ + begin_, payload_done_});
  if (body_.empty()) place_ = Place::lost;
  begin_ += static_cast<std::uint32_t>(payload_done_);
}

void Session::keep_leftover() noexcept {
  const std::size_t size = end_ - begin_;
  const std::size_t behind = leftover_ == nullptr ? 0 : leftover_->size();
  auto* const kept = static_cast<Leftover*>(std::malloc(sizeof(Leftover) + size + behind));
  if (kept == nullptr) {
    place_ = Place::lost;
    leftover_.reset();
    return;
  }
  *kept = Leftover{.begin = 0, .end = size + behind};
  std::memcpy(kept->bytes(), block_ + begin_, size);
  if (behind != 0) std::memcpy(kept->bytes() + size, leftover_->bytes() + leftover_->begin, behind);
  leftover_.reset(kept);
}

// Copies in what was left over, or as much as fits; false if there is nothing, or no block.
bool Session::refill() noexcept {
  if (leftover_ == nullptr || block_ == nullptr) return false;
  if (begin_ != 0) {
    std::memmove(block_, block_ + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
  }
  const std::size_t size = std::min<std::size_t>(leftover_->size(), capacity_ - end_);
  std::memcpy(block_ + end_, leftover_->bytes() + leftover_->begin, size);
  end_ += static_cast<std::uint32_t>(size);
  leftover_->begin += size;
  if (leftover_->size() == 0) leftover_.reset();
  return size != 0;
}

}  // namespace hotline::protocol
