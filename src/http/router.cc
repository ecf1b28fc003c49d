#include "http/router.h"

#include <algorithm>

#include <hotline/base/error.h>

#include "base/header_tokens.h"

namespace hotline::http {
namespace {

[[noreturn]] void malformed(std::string_view pattern, const char* why) {
  throw Error(Fault::bad_option, "the route \"" + escaped(pattern) + "\" " + why);
}

Route::Segment parse_segment(std::string_view text, std::string_view pattern) {
  const auto brace = text.find_first_of("{}");
  if (brace == std::string_view::npos) return {std::string(text), false};
  if (text.size() < 3 || text.front() != '{' || text.back() != '}') {
    malformed(pattern, "has a wildcard that is not a whole segment");
  }
  const auto name = text.substr(1, text.size() - 2);
  if (!is_token(name) || name.find('$') != std::string_view::npos) {
    malformed(pattern, "has a wildcard without a proper name");
  }
  return {std::string(name), true};
}

Route parse(std::string_view pattern) {
  Route route;
  route.pattern = pattern;
  auto path = pattern;
  if (const auto space = pattern.find(' '); space != std::string_view::npos) {
    route.method = pattern.substr(0, space);
    if (!is_token(route.method)) malformed(pattern, "has a method that is not a token");
    path = pattern.substr(space + 1);
  }
  if (!path.starts_with('/')) malformed(pattern, "has a path that does not begin with /");
  for (const auto c : path) {
    if (c <= ' ' || c >= 0x7f || c == '?' || c == '#') {
      malformed(pattern, "has a byte that no path has");
    }
  }
  path.remove_prefix(1);
  for (;;) {
    const auto slash = path.find('/');
    const auto text = path.substr(0, slash);
    if (slash == std::string_view::npos) {
      if (text.empty()) {
        route.subtree = true;
      } else {
        route.segments.push_back(text == "{$}" ? Route::Segment{} : parse_segment(text, pattern));
      }
      return route;
    }
    route.segments.push_back(parse_segment(text, pattern));
    path.remove_prefix(slash + 1);
  }
}

bool same_paths(const Route& a, const Route& b) {
  return a.subtree == b.subtree &&
         std::equal(a.segments.begin(), a.segments.end(), b.segments.begin(), b.segments.end(),
                    [](const Route::Segment& x, const Route::Segment& y) {
                      return x.wildcard == y.wildcard && (x.wildcard || x.text == y.text);
                    });
}

// Whether `a` is to be asked first: the first segment in which they differ decides; a text says
// more than a wildcard, and a wildcard more than "whatever is below".
bool says_more(const Route& a, const Route& b) {
  const auto common = std::min(a.segments.size(), b.segments.size());
  for (std::size_t i = 0; i < common; ++i) {
    if (a.segments[i].wildcard != b.segments[i].wildcard) return b.segments[i].wildcard;
  }
  if (a.segments.size() != b.segments.size()) return a.segments.size() > b.segments.size();
  if (a.subtree != b.subtree) return b.subtree;
  if (a.method.empty() != b.method.empty()) return b.method.empty();
  return a.method == "HEAD" && b.method != "HEAD";  // GET would serve it, too
}

template <typename Parameters>
bool matches(const Route& route, std::string_view path, Parameters* parameters) {
  if (!path.starts_with('/')) return false;
  path.remove_prefix(1);
  bool more = true;  // whether a segment follows, possibly empty
  for (const auto& segment : route.segments) {
    if (!more) return false;
    const auto slash = path.find('/');
    const auto text = path.substr(0, slash);
    if (segment.wildcard) {
      if (text.empty()) return false;
      if (parameters) parameters->emplace_back(segment.text, text);
    } else if (segment.text != text) {
      return false;
    }
    more = slash != std::string_view::npos;
    path.remove_prefix(more ? slash + 1 : path.size());
  }
  return more == route.subtree;
}

bool serves(const Route& route, std::string_view method) {
  return route.method.empty() || route.method == method ||
         (method == "HEAD" && route.method == "GET");
}

}  // namespace

void Router::add(std::string_view pattern, Handler handler) {
  auto route = parse(pattern);
  if (!handler) malformed(pattern, "has no handler");
  for (const auto& other : routes_) {
    if (route.method == other->method && same_paths(route, *other)) {
      malformed(pattern, "stands already");
    }
  }
  route.handler = std::move(handler);
  const auto before = std::find_if(routes_.begin(), routes_.end(),
                                   [&](const auto& other) { return says_more(route, *other); });
  routes_.insert(before, std::make_unique<const Route>(std::move(route)));
}

void Router::find(std::string_view method, std::string_view path, RouteMatch& match) const {
  match.route = nullptr;
  match.path_known = false;
  for (const auto& route : routes_) {
    match.parameters.clear();
    if (!matches(*route, path, &match.parameters)) continue;
    match.path_known = true;
    if (serves(*route, method)) {
      match.route = route.get();
      return;
    }
  }
}

std::string Router::allowed_methods(std::string_view path) const {
  std::vector<std::string_view> methods;
  const auto add_once = [&](std::string_view method) {
    if (std::find(methods.begin(), methods.end(), method) == methods.end()) {
      methods.push_back(method);
    }
  };
  using Parameters = decltype(RouteMatch::parameters);
  for (const auto& route : routes_) {
    if (!matches(*route, path, static_cast<Parameters*>(nullptr))) continue;
    add_once(route->method);
    if (route->method == "GET") add_once("HEAD");
  }
  std::string result;
  for (const auto method : methods) {
    if (!result.empty()) result += ", ";
    result += method;
  }
  return result;
}

}  // namespace hotline::http
