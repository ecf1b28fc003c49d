#pragma once

#include <optional>
#include <string_view>

/// The small grammar that HTTP headers share (RFC 9110, 5.6).
namespace hotline {

/// Whether the character may stand in a token: a letter, a digit, or one of !#$%&'*+-.^_`|~
[[nodiscard]] bool is_token_character(char c) noexcept;

/// Whether the text is a token: one such character or more.
[[nodiscard]] bool is_token(std::string_view text) noexcept;

/// Whether the text may be the value of a header field (RFC 9110, 5.5): it has no control bytes but
/// tabs. CR and LF would begin a field of their own.
[[nodiscard]] bool is_field_value(std::string_view text) noexcept;

/// Compares as header names and most tokens are: ASCII letters without case, all else exactly.
[[nodiscard]] bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept;

/// Without the spaces and tabs at both ends.
[[nodiscard]] std::string_view trimmed(std::string_view text) noexcept;

/// The elements of a comma-separated list, trimmed, one after the other. All of them: an empty text
/// is a list of one empty element, "a,,b" is one of three. Quotes mean nothing here. The views are
/// into the list.
class ListSplitter {
 public:
  explicit ListSplitter(std::string_view list) noexcept : rest_{list} {}
  /// nullopt behind the last element.
  [[nodiscard]] std::optional<std::string_view> next() noexcept;

 private:
  std::optional<std::string_view> rest_;
};

/// Whether the list has the token as an element, compared without case: "keep-alive, Upgrade" has
/// "upgrade".
[[nodiscard]] bool list_contains(std::string_view list, std::string_view token) noexcept;

}  // namespace hotline
