#include "protocol/mask.h"

#include "protocol/kernels.h"

namespace hotline::protocol {

void mask(std::span<char> data, MaskingKey key, std::size_t phase) noexcept {
  kernels::mask(data.data(), data.size(), kernels::word_of(key, phase));
}

}  // namespace hotline::protocol
