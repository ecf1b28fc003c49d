#include "http/pattern.h"

#include <algorithm>
#include <optional>

#include <hotline/base/error.h>

#include "base/header_tokens.h"
#include "http/path.h"
#include "http/request_builder.h"

namespace hotline::http {
namespace {

using Kind = Pattern::Kind;

class Parser {
 public:
  explicit Parser(std::string_view text) : text_(text), rest_(text) { result_.text = text; }

  Pattern parse() {
    parse_method();
    parse_host_name();
    check_path();
    while (!rest_.empty()) {
      rest_.remove_prefix(1);  // the slash
      parse_segment();
    }
    return std::move(result_);
  }

 private:
  [[noreturn]] void fail(const char* why, std::size_t further = 0) const {
    const auto at = text_.size() - rest_.size() + further;
    throw Error(Fault::bad_option,
                "the route \"" + escaped(text_) + "\", at byte " + std::to_string(at) + ": " + why);
  }

  void parse_method() {
    const auto blank = rest_.find_first_of(" \t");
    if (blank == std::string_view::npos) return;
    const auto method = rest_.substr(0, blank);
    if (!is_token(method)) fail("the method is not a token");
    result_.method = method;
    rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t", blank), rest_.size()));
  }

  void parse_host_name() {
    const auto host = rest_.substr(0, rest_.find('/'));
    if (host.find('{') != std::string_view::npos) {
      fail("a host has no wildcards (is the first / missing?)", host.find('{'));
    }
    if (host.size() == rest_.size()) fail("there is no path: it begins with /");
    if (host.empty()) return;
    const auto name = parse_host(host);
    if (!name) fail("the host is malformed");
    if (host.ends_with(':') || name->end() != host.end() - host.ends_with(']')) {
      fail("the host is compared without its port: leave the port out", name->size());
    }
    result_.host = *name;
    rest_.remove_prefix(host.size());
  }

  void check_path() const {
    for (std::size_t i = 0; i < rest_.size(); ++i) {
      const auto c = rest_[i];
      if (c == '?' || c == '#') fail("a path ends before ? and #; write %3F or %23", i);
      if ((c >= 0 && c <= ' ') || c == 0x7f) fail("no path has blanks or control bytes", i);
    }
    if (result_.method != "CONNECT" && !is_clean(rest_)) {
      fail("it can never match, since //, /./ and /../ are cleaned away before");
    }
  }

  void parse_segment() {
    const auto segment = rest_.substr(0, rest_.find('/'));
    const bool last = segment.size() == rest_.size();
    const auto brace = segment.find_first_of("{}");
    if (segment.empty() && last) {
      result_.segments.push_back({Kind::rest, {}});
    } else if (brace == std::string_view::npos) {
      result_.segments.push_back({Kind::literal, decoded(segment)});
    } else {
      if (brace != 0 || segment[0] != '{') fail("a wildcard is a whole segment", brace);
      if (segment.find('}') != segment.size() - 1) fail("a wildcard is a whole segment, up to }");
      parse_wildcard(segment.substr(1, segment.size() - 2), last);
    }
    rest_.remove_prefix(segment.size());
  }

  void parse_wildcard(std::string_view name, bool last) {
    auto kind = Kind::single;
    if (name == "$") {
      if (!last) fail("{$} stands at the end only");
      result_.segments.push_back({Kind::end, {}});
      return;
    }
    if (name.ends_with("...")) {
      if (!last) fail("a wildcard with ... stands at the end only");
      kind = Kind::rest;
      name.remove_suffix(3);
    }
    if (name.empty()) fail("the wildcard has no name");
    if (!std::all_of(name.begin(), name.end(), is_name_character)) {
      fail("a wildcard's name has letters, digits, _ and - only");
    }
    for (const auto& other : result_.segments) {
      if (other.kind != Kind::literal && other.text == name)
        fail("the wildcard's name stands twice");
    }
    result_.segments.push_back({kind, std::string(name)});
  }

  static bool is_name_character(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
           c == '-';
  }

  std::string_view text_;
  std::string_view rest_;
  Pattern result_;
};

// What the requests that `a` matches are to those that `b` matches.
enum class Relation { same, more, fewer, others, some };

Relation combine(Relation a, Relation b) noexcept {
  if (a == Relation::others || b == Relation::others) return Relation::others;
  if (a == Relation::same) return b;
  if (b == Relation::same || a == b) return a;
  return Relation::some;
}

Relation compare_methods(const Pattern& a, const Pattern& b) noexcept {
  if (a.method == b.method) return Relation::same;
  if (a.method.empty()) return Relation::more;
  if (b.method.empty()) return Relation::fewer;
  if (a.method == "GET" && b.method == "HEAD") return Relation::more;
  if (a.method == "HEAD" && b.method == "GET") return Relation::fewer;
  return Relation::others;
}

Relation compare(const Pattern::Segment& a, const Pattern::Segment& b) noexcept {
  if (a.kind == b.kind) {
    return a.kind != Kind::literal || a.text == b.text ? Relation::same : Relation::others;
  }
  if (a.kind == Kind::rest) return Relation::more;
  if (b.kind == Kind::rest) return Relation::fewer;
  if (a.kind == Kind::end || b.kind == Kind::end) return Relation::others;
  return a.kind == Kind::single ? Relation::more : Relation::fewer;
}

Relation compare_paths(const Pattern& a, const Pattern& b) noexcept {
  const auto sizes = std::pair{a.segments.size(), b.segments.size()};
  auto relation = Relation::same;
  for (std::size_t i = 0; i < std::min(sizes.first, sizes.second); ++i) {
    relation = combine(relation, compare(a.segments[i], b.segments[i]));
    if (relation == Relation::others) return relation;
  }
  // The longer one has something only where the shorter leaves it open.
  if (sizes.first < sizes.second) {
    return a.has_rest() ? combine(relation, Relation::more) : Relation::others;
  }
  if (sizes.second < sizes.first) {
    return b.has_rest() ? combine(relation, Relation::fewer) : Relation::others;
  }
  return relation;
}

// A path that both match, if there is one.
std::string common_path(const Pattern& a, const Pattern& b) {
  std::string path;
  const auto size = std::max(a.segments.size(), b.segments.size());
  for (std::size_t i = 0; i < size; ++i) {
    const auto* segment = i < a.segments.size() ? &a.segments[i] : &b.segments[i];
    const auto* other = i < b.segments.size() ? &b.segments[i] : segment;
    // The narrower of both.
    if (compare(*segment, *other) == Relation::more) segment = other;
    path += '/';
    if (segment->kind != Kind::end) path += segment->text;
  }
  return path;
}

}  // namespace

Pattern parse_pattern(std::string_view text) { return Parser{text}.parse(); }

std::string find_conflict(const Pattern& a, const Pattern& b) {
  if (!equals_ignoring_case(a.host, b.host)) return {};
  const auto relation = combine(compare_methods(a, b), compare_paths(a, b));
  if (relation != Relation::same && relation != Relation::some) return {};
  auto text = "the routes \"" + escaped(a.text) + "\" and \"" + escaped(b.text) + "\" conflict: ";
  if (relation == Relation::same) return text + "they match the same requests";
  return text + "both match, say, " + escaped(common_path(a, b)) +
         ", and neither is more specific than the other";
}

}  // namespace hotline::http
