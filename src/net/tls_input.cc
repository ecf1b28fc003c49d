#include "net/tls_input.h"

#include <algorithm>

namespace hotline::tls {
namespace {

constexpr std::size_t header_size = 5;
// 2^14 of plaintext, and what a cipher may add (RFC 5246 6.2.3).
constexpr std::size_t most_content = 16384 + 2048;

// Header and content; more than there is while the header is not complete. Of a type that nobody
// knows OpenSSL reads the content, too: half of it would lie in a buffer that is to be freed.
std::size_t record_size(std::string_view bytes) noexcept {
  if (bytes.size() < header_size) return header_size;
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(bytes[at]); };
  const auto content = static_cast<std::size_t>(byte(3)) << 8 | byte(4);
  const bool plausible = byte(1) == 3 && content <= most_content;
  return plausible ? header_size + content : header_size;
}

}  // namespace

std::string_view Input::front() const noexcept {
  if (kept_start_ != kept_.size()) return std::string_view{kept_}.substr(kept_start_);
  return {now_.data(), now_.size()};
}

void Input::received(std::span<const char> bytes) {
  now_ = bytes;
  if (kept() == 0) return;
  // The record that had begun is completed where it lies: the header first, which tells how long.
  for (int step = 0; step < 2; ++step) {
    const auto have = front();
    const auto size = record_size(have);
    if (have.size() >= size) continue;
    const auto count = std::min(size - have.size(), now_.size());
    // What is announced is not believed before it is there.
    if (have.size() + count == size) kept_.reserve(kept_start_ + size);
    kept_.append(now_.data(), count);
    now_ = now_.subspan(count);
  }
}

void Input::stash() {
  if (kept() == 0) {
    kept_start_ = 0;
    if (now_.empty()) {
      std::string{}.swap(kept_);
    } else {
      kept_.assign(now_.data(), now_.size());
    }
  } else if (!now_.empty()) {
    kept_.erase(0, kept_start_);
    kept_start_ = 0;
    kept_.append(now_.data(), now_.size());
  }
  now_ = {};
}

bool Input::has_record() const noexcept {
  if (record_left_ != 0) return true;
  const auto bytes = front();
  return bytes.size() >= record_size(bytes);
}

std::size_t Input::take(char* to, std::size_t size) noexcept {
  const auto bytes = front();
  if (record_left_ == 0) {
    const auto whole = record_size(bytes);
    if (bytes.size() < whole || allowed_ == 0) return 0;
    --allowed_;
    record_left_ = whole;
  }
  const auto count = std::min(size, record_left_);
  bytes.copy(to, count);
  record_left_ -= count;
  if (kept() != 0) {
    kept_start_ += count;
  } else {
    now_ = now_.subspan(count);
  }
  return count;
}

}  // namespace hotline::tls
