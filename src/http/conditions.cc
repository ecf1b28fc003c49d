#include "http/conditions.h"

#include <algorithm>

#include "base/header_tokens.h"
#include "http/http_date.h"

namespace hotline::http {
namespace {

enum class Comparison : std::uint8_t { strong, weak };

// Whether a list of entity tags has the one: "*", or [W/]"..." (RFC 9110 8.8.3).
bool has_etag(std::string_view list, std::string_view etag, Comparison comparison) noexcept {
  if (trimmed(list) == "*") return true;
  for (;;) {
    const auto begin = list.find_first_not_of(" \t,");
    if (begin == std::string_view::npos) return false;
    list.remove_prefix(begin);
    const bool is_weak = list.starts_with("W/");
    if (is_weak) list.remove_prefix(2);
    const auto end = list.starts_with('"') ? list.find('"', 1) : std::string_view::npos;
    if (end == std::string_view::npos) return false;
    if (list.substr(0, end + 1) == etag && (!is_weak || comparison == Comparison::weak))
      return true;
    list.remove_prefix(end + 1);
  }
}

bool any_etag(const Request& request, std::string_view name, const Validators& validators,
              Comparison comparison) noexcept {
  const auto& fields = request.headers();
  return std::any_of(fields.begin(), fields.end(), [&](const Field& field) {
    return equals_ignoring_case(field.name, name) &&
           has_etag(field.value, validators.etag, comparison);
  });
}

// The only date in the field of that name; malformed dates are ignored.
std::optional<std::time_t> date_in(const Request& request, std::string_view name) {
  if (request.header_count(name) != 1) return std::nullopt;
  return parse_http_date(request.header(name));
}

bool is_unchanged(std::string_view if_range, const Validators& validators) {
  if (if_range.starts_with('"') || if_range.starts_with("W/")) return if_range == validators.etag;
  return parse_http_date(if_range) == validators.modified;
}

// Takes digits off the text; what does not fit is as large as can be.
std::optional<std::uint64_t> take_number(std::string_view& text) noexcept {
  const auto end = std::min(text.find_first_not_of("0123456789"), text.size());
  if (end == 0) return std::nullopt;
  std::uint64_t value = 0;
  for (const auto c : text.substr(0, end)) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
  }
  text.remove_prefix(end);
  return value;
}

constexpr WantedRange whole{};
constexpr WantedRange unsatisfiable{WantedRange::Kind::unsatisfiable, {}};

// "first-last", "first-" or "-suffix"
WantedRange parse_range(std::string_view text, std::uint64_t size) noexcept {
  const auto first = take_number(text);
  if (!text.starts_with('-')) return whole;
  text.remove_prefix(1);
  const auto last = take_number(text);
  if (!text.empty() || (!first && !last)) return whole;
  if (!first) {
    if (*last == 0) return unsatisfiable;
    if (size == 0) return whole;  // all of nothing: no Content-Range can say that
    const auto length = std::min(*last, size);
    return {WantedRange::Kind::part, {size - length, length}};
  }
  if (last && *last < *first) return whole;
  if (*first >= size) return unsatisfiable;
  const auto end = last && *last < size - 1 ? *last + 1 : size;
  return {WantedRange::Kind::part, {*first, end - *first}};
}

}  // namespace

Verdict judge(const Request& request, const Validators& validators) {
  if (request.header_count("If-Match") > 0) {
    if (!any_etag(request, "If-Match", validators, Comparison::strong)) {
      return Verdict::precondition_failed;
    }
  } else if (const auto date = date_in(request, "If-Unmodified-Since")) {
    if (validators.modified > *date) return Verdict::precondition_failed;
  }
  if (request.header_count("If-None-Match") > 0) {
    if (any_etag(request, "If-None-Match", validators, Comparison::weak)) {
      return Verdict::not_modified;
    }
  } else if (const auto date = date_in(request, "If-Modified-Since")) {
    if (validators.modified <= *date) return Verdict::not_modified;
  }
  return Verdict::proceed;
}

WantedRange wanted_range(const Request& request, const Validators& validators, std::uint64_t size) {
  if (request.method() != "GET" || request.header_count("Range") != 1) return whole;
  const auto conditions = request.header_count("If-Range");
  if (conditions > 1) return whole;
  if (conditions == 1 && !is_unchanged(request.header("If-Range"), validators)) return whole;
  auto range = request.header("Range");
  static constexpr std::string_view unit = "bytes=";
  if (range.size() < unit.size() || !equals_ignoring_case(range.substr(0, unit.size()), unit)) {
    return whole;
  }
  return parse_range(trimmed(range.substr(unit.size())), size);
}

}  // namespace hotline::http
