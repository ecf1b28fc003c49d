#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "http/path.h"
#include "http/pattern.h"

namespace hotline::http {

struct Route;

/// The paths of the routes of one host and one method: a tree of segments.
///
/// What a path meets first is what is most specific: a literal before a wildcard before whatever is
/// below. That holds since no two routes conflict (find_conflict).
class RouteTree {
 public:
  struct Found {
    const Route* route = nullptr;
    /// Not by what is below a slash.
    bool exact = false;
  };

  /// `route` outlives the tree, which has none yet of the same pattern.
  void add(const Pattern& pattern, const Route& route);
  Found find(const SplitPath& path) const { return find(root_, 0, path); }

 private:
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> single;
    const Route* here = nullptr;
    const Route* end = nullptr;
    const Route* rest = nullptr;
  };

  static Found find(const Node& node, std::size_t depth, const SplitPath& path);

  Node root_;
};

}  // namespace hotline::http
