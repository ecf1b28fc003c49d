#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace hotline::protocol {

/// Validates a text that comes in pieces which nobody keeps together: UTF-8 as RFC 3629 has it.
class Utf8Validator {
 public:
  /// False at the first byte that nothing can mend; the validator is then of no more use.
  [[nodiscard]] bool feed(std::span<const char> piece) noexcept;
  /// Whether the text may end here.
  [[nodiscard]] bool complete() const noexcept { return pending_ == 0; }

 private:
  std::array<char, 4> code_point_{};  // one that is not complete yet
  std::uint8_t pending_ = 0;          // its bytes so far, at most 3
};
static_assert(sizeof(Utf8Validator) <= 8);

}  // namespace hotline::protocol
