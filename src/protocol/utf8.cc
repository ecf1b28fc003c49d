#include "protocol/utf8.h"

#include <algorithm>
#include <cstring>

#include "protocol/kernels.h"
#include "protocol/utf8_scalar.h"

namespace hotline::protocol {

bool valid_utf8(std::span<const char> text) noexcept {
  return kernels::validate(text.data(), text.size());
}

bool unmask_and_validate(std::span<char> text, std::size_t done, MaskingKey key, std::size_t phase,
                         bool last) noexcept {
  if (done == 0 && last) {
    return kernels::unmask_and_validate(text.data(), text.size(), kernels::word_of(key, phase));
  }
  // Validation starts anew at the last boundary between code points: at most three bytes are seen
  // again. They are masked once more, so that one pass does for all.
  const std::size_t seen = scalar::incomplete_tail(text.data(), done);
  const std::span<char> rest = text.subspan(done - seen);
  const std::size_t start = phase - seen;  // modulo four, which wrapping around does not harm
  for (std::size_t i = 0; i < seen; ++i) {
    rest[i] = static_cast<char>(rest[i] ^ key[(start + i) % 4]);
  }
  if (last) {
    return kernels::unmask_and_validate(rest.data(), rest.size(), kernels::word_of(key, start));
  }
  // It ends before a code point that is not complete, which must be one that still can be.
  const std::size_t end_size = std::min<std::size_t>(rest.size(), 3);
  const std::size_t end_at = rest.size() - end_size;
  char end[3];
  for (std::size_t i = 0; i < end_size; ++i) {
    end[i] = static_cast<char>(rest[end_at + i] ^ key[(start + end_at + i) % 4]);
  }
  const std::size_t tail = scalar::incomplete_tail(end, end_size);
  const std::size_t whole = rest.size() - tail;
  if (!kernels::unmask_and_validate(rest.data(), whole, kernels::word_of(key, start))) return false;
  std::copy(end + end_size - tail, end + end_size,
            rest.begin() + static_cast<std::ptrdiff_t>(whole));
  return scalar::viable(rest.data() + whole, tail);
}

bool validate_more(std::span<const char> text, std::size_t done, bool last) noexcept {
  const std::size_t seen = scalar::incomplete_tail(text.data(), done);
  const std::span<const char> rest = text.subspan(done - seen);
  const std::size_t tail = last ? 0 : scalar::incomplete_tail(rest.data(), rest.size());
  const std::size_t whole = rest.size() - tail;
  return kernels::validate(rest.data(), whole) && scalar::viable(rest.data() + whole, tail);
}

std::string_view cut_to_valid(std::string_view text, std::size_t size) noexcept {
  return text.substr(0, scalar::valid_front(text.data(), std::min(size, text.size())));
}

bool Utf8Validator::feed(std::span<const char> piece) noexcept {
  while (pending_ != 0 && !piece.empty()) {
    code_point_[pending_++] = piece.front();
    piece = piece.subspan(1);
    if (scalar::valid_front(code_point_.data(), pending_) == pending_) {
      pending_ = 0;
    } else if (!scalar::viable(code_point_.data(), pending_)) {
      return false;
    }
  }
  if (piece.empty()) return true;
  const std::size_t tail = scalar::incomplete_tail(piece.data(), piece.size());
  const std::size_t whole = piece.size() - tail;
  if (!kernels::validate(piece.data(), whole)) return false;
  std::copy_n(piece.data() + whole, tail, code_point_.data());
  pending_ = static_cast<std::uint8_t>(tail);
  return scalar::viable(code_point_.data(), tail);
}

}  // namespace hotline::protocol
