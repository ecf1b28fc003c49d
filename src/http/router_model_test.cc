// The router against what its rules mean: sets of paths.
#include <algorithm>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include <hotline/base/error.h>

#include "http/router.h"

namespace hotline::http {
namespace {

// Segments are "a" and "b", of which routes know, and "z", of which none does.
std::vector<std::string> all_paths() {
  std::vector<std::string> paths{""};
  for (std::size_t begin = 0, length = 0; length < 4; ++length) {
    const auto end = paths.size();
    for (; begin < end; ++begin) {
      for (const auto* segment : {"/a", "/b", "/z"}) paths.push_back(paths[begin] + segment);
    }
  }
  const auto count = paths.size();
  for (std::size_t i = 0; i < count; ++i) paths.push_back(paths[i] + "/");
  paths.erase(paths.begin());
  return paths;
}

std::vector<std::string> all_patterns() {
  std::vector<std::string> beginnings{""};
  for (std::size_t i = 0; i < 1 + 3; ++i) {
    for (const auto* segment : {"/a", "/b", "/{x}"}) {
      // Names are unique in a pattern.
      auto text = beginnings[i] + segment;
      if (i > 0 && text.ends_with("{x}")) text.replace(text.size() - 3, 3, "{y}");
      beginnings.push_back(text);
    }
  }
  std::vector<std::string> patterns;
  for (const auto& beginning : beginnings) {
    if (!beginning.empty()) patterns.push_back(beginning);
    patterns.push_back(beginning + "/");
    patterns.push_back(beginning + "/{$}");
    patterns.push_back(beginning + "/{rest...}");
  }
  return patterns;
}

// Cuts off the first segment, with its slash.
std::string_view take(std::string_view& text) {
  const auto segment = text.substr(0, text.find('/', 1));
  text.remove_prefix(segment.size());
  return segment;
}

bool matches(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    const auto wanted = take(pattern);
    if (wanted == "/" || wanted == "/{rest...}") return path.starts_with('/');
    if (wanted == "/{$}") return path == "/";
    const auto segment = take(path);
    if (wanted.starts_with("/{") ? segment.size() < 2 : segment != wanted) return false;
  }
  return path.empty();
}

using Paths = std::set<std::string>;

Paths paths_of(const std::string& pattern) {
  static const auto all = all_paths();
  Paths result;
  for (const auto& path : all) {
    if (matches(pattern, path)) result.insert(path);
  }
  return result;
}

bool is_part(const Paths& a, const Paths& b) {
  return std::includes(b.begin(), b.end(), a.begin(), a.end());
}

TEST(RouterModel, knows_two_patterns_that_conflict) {
  const auto patterns = all_patterns();
  int conflicts = 0;
  for (const auto& a : patterns) {
    for (const auto& b : patterns) {
      const auto of_a = paths_of(a);
      const auto of_b = paths_of(b);
      const bool meet = std::any_of(of_a.begin(), of_a.end(),
                                    [&](const auto& path) { return of_b.count(path) > 0; });
      const bool ordered = is_part(of_a, of_b) != is_part(of_b, of_a);
      const auto sentence = find_conflict(parse_pattern(a), parse_pattern(b));
      ASSERT_EQ(!sentence.empty(), meet && !ordered) << a << ", " << b;
      conflicts += sentence.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(conflicts, 100);
}

TEST(RouterModel, finds_the_most_specific_of_those_that_match) {
  auto patterns = all_patterns();
  const auto paths = all_paths();
  for (unsigned seed = 1; seed <= 200; ++seed) {
    std::shuffle(patterns.begin(), patterns.end(), std::minstd_rand{seed});
    Router router;
    std::vector<std::pair<std::string, Paths>> routed;
    for (const auto& pattern : patterns) {
      if (routed.size() == 1 + seed % 20) break;
      try {
        router.add(pattern, [](Exchange) -> Task<> { return {}; });
        routed.emplace_back(pattern, paths_of(pattern));
      } catch (const Error&) {  // it conflicts
      }
    }
    RouteMatch match;
    for (const auto& path : paths) {
      const std::pair<std::string, Paths>* best = nullptr;
      bool redirects = false;
      for (const auto& route : routed) {
        if (route.second.count(path) > 0 && (!best || is_part(route.second, best->second))) {
          best = &route;
        }
        // A route that ends right behind the slash which is missing here.
        const auto& [pattern, served] = route;
        redirects = redirects || (served.count(path + "/") > 0 && served.count(path) == 0 &&
                                  std::count(pattern.begin(), pattern.end(), '/') ==
                                      std::count(path.begin(), path.end(), '/') + 1);
      }
      const bool exact = best && (best->first.find("{$}") != std::string::npos ||
                                  !(best->first.ends_with('/') || best->first.ends_with("...}")));
      const auto expected = !path.ends_with('/') && !exact && redirects ? ""
                            : best                                      ? best->first
                                                                        : "";
      router.find("GET", "", path, match);
      ASSERT_EQ(match.pattern, expected) << path << ", seed " << seed;
    }
  }
}

}  // namespace
}  // namespace hotline::http
