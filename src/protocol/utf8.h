#pragma once

#include <cstddef>
#include <span>
#include <string_view>

#include <hotline/protocol/frame.h>
#include <hotline/protocol/utf8_validator.h>

/// UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF.
namespace hotline::protocol {

/// Whether the text is valid and complete.
[[nodiscard]] bool valid_utf8(std::span<const char> text) noexcept;

/// Unmasks what has newly arrived of a text, and validates it in the same pass. text[0, done) was
/// handled by earlier calls; text[done] has position `phase` in its frame's payload. False as soon
/// as there is a byte that no continuation of the text can mend or, with `last`, if the text ends
/// within a code point; the text is then spoilt. However a text is cut, the work is linear in it.
[[nodiscard]] bool unmask_and_validate(std::span<char> text, std::size_t done, MaskingKey key,
                                       std::size_t phase, bool last) noexcept;
/// The same for a text that is not masked.
[[nodiscard]] bool validate_more(std::span<const char> text, std::size_t done, bool last) noexcept;

/// The longest front part that is valid and complete, no longer than `size`.
[[nodiscard]] std::string_view cut_to_valid(std::string_view text, std::size_t size) noexcept;

}  // namespace hotline::protocol
