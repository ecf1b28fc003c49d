#pragma once

#include <cstdint>
#include <cstring>

#include <hotline/protocol/session.h>

#include "protocol/kernels.h"

namespace hotline::protocol {

// The commonest frame by far: what read_frame() would make of it, in half the time. It looks for
// nothing but good ones, and leaves all others alone.
[[gnu::always_inline]] inline Session::Small Session::next_small() noexcept {
  const std::size_t here = end_ - begin_;
  if (place_ != Place::header || fragments_ != 0 || close_sent_ || body_complete_ || here < 2) {
    return {};
  }
  char* const at = block_ + begin_;
  const bool masked = role_ == Role::server;
  const std::size_t header = masked ? 2 + key_.size() : 2;
  const unsigned kind = static_cast<std::uint8_t>(at[0]) - (fin_bit | unsigned{1});
  const std::size_t size = static_cast<std::uint8_t>(at[1]) ^ (masked ? mask_bit : 0U);
  if (kind > 1 || size >= length_16 || here < header + size) return {};
  if (size > limits_->message_size || limits_->fragments == 0) return {};

  char* const payload = at + header;
  bool good = true;
  if (masked) {
    std::uint32_t key;
    std::memcpy(&key, at + 2, sizeof key);
    if (kind == 0) {
      good = kernels::unmask_and_validate(payload, size, key);
    } else {
      kernels::mask(payload, size, key);
    }
  } else if (kind == 0) {
    good = kernels::validate(payload, size);
  }
  if (!good) [[unlikely]] {
    place_ = Place::invalid;
    return {};
  }
  begin_ += static_cast<std::uint32_t>(header + size);
  return {payload, static_cast<std::uint32_t>(size), static_cast<Opcode>(kind + 1)};
}

}  // namespace hotline::protocol
