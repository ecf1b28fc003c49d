#include <hotline/http/query.h>

#include <algorithm>

#include "http/path.h"

namespace hotline::http {
namespace {

std::string form_decoded(std::string_view text) {
  std::string result{text};
  std::replace(result.begin(), result.end(), '+', ' ');
  return decoded(result);
}

struct Field {
  std::string_view name;  // both still encoded
  std::string_view value;

  bool is(std::string_view wanted) const {
    // Most names are not encoded.
    if (name.find_first_of("%+") == std::string_view::npos) return name == wanted;
    return form_decoded(name) == wanted;
  }
};

// Takes the next field off the text; nothing if there is none.
std::optional<Field> next(std::string_view& text) noexcept {
  while (text.starts_with('&')) text.remove_prefix(1);
  if (text.empty()) return std::nullopt;
  const auto field = text.substr(0, text.find('&'));
  text.remove_prefix(field.size());
  const auto equals = field.find('=');
  if (equals == std::string_view::npos) return Field{field, {}};
  return Field{field.substr(0, equals), field.substr(equals + 1)};
}

}  // namespace

std::optional<std::string> Query::find(std::string_view name) const {
  auto rest = text_;
  while (const auto field = next(rest)) {
    if (field->is(name)) return form_decoded(field->value);
  }
  return std::nullopt;
}

std::vector<std::string> Query::find_all(std::string_view name) const {
  std::vector<std::string> result;
  auto rest = text_;
  while (const auto field = next(rest)) {
    if (field->is(name)) result.push_back(form_decoded(field->value));
  }
  return result;
}

std::vector<std::pair<std::string, std::string>> Query::fields() const {
  std::vector<std::pair<std::string, std::string>> result;
  auto rest = text_;
  while (const auto field = next(rest)) {
    result.emplace_back(form_decoded(field->name), form_decoded(field->value));
  }
  return result;
}

}  // namespace hotline::http
