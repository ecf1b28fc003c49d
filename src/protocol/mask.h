#pragma once

#include <cstddef>
#include <span>

#include <hotline/protocol/frame.h>

namespace hotline::protocol {

/// Masks or unmasks in place (RFC 6455, 5.3). `phase` is the position of data[0] in its frame's
/// payload; only its two lowest bits matter.
void mask(std::span<char> data, MaskingKey key, std::size_t phase = 0) noexcept;

}  // namespace hotline::protocol
