#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hotline::http {

/// The fields of a query, or of a form's body: "a=1&b=2", with names and values percent-decoded and
/// "+" for a space (application/x-www-form-urlencoded). What has no "=" is a name without a value.
class Query {
 public:
  /// `text` is without "?", and outlives this.
  explicit Query(std::string_view text) noexcept : text_(text) {}

  /// The first value of that name; nullopt if there is none.
  std::optional<std::string> find(std::string_view name) const;
  /// All values of that name, in their order.
  std::vector<std::string> find_all(std::string_view name) const;
  /// All of it: names and values, in their order.
  std::vector<std::pair<std::string, std::string>> fields() const;

 private:
  std::string_view text_;
};

}  // namespace hotline::http
