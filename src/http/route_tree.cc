#include "http/route_tree.h"

namespace hotline::http {

void RouteTree::add(const Pattern& pattern, const Route& route) {
  auto* node = &root_;
  for (const auto& segment : pattern.segments) {
    switch (segment.kind) {
      case Pattern::Kind::literal: {
        auto& next = node->literals[segment.text];
        if (!next) next = std::make_unique<Node>();
        node = next.get();
        break;
      }
      case Pattern::Kind::single:
        if (!node->single) node->single = std::make_unique<Node>();
        node = node->single.get();
        break;
      case Pattern::Kind::rest: node->rest = &route; return;
      case Pattern::Kind::end: node->end = &route; return;
    }
  }
  node->here = &route;
}

RouteTree::Found RouteTree::find(const Node& node, std::size_t depth, const SplitPath& path) {
  if (depth == path.size()) {
    if (!path.ends_in_slash()) return {node.here, true};
    return {node.end ? node.end : node.rest, true};
  }
  const auto text = path[depth].text;
  if (const auto next = node.literals.find(text); next != node.literals.end()) {
    if (const auto found = find(*next->second, depth + 1, path); found.route) return found;
  }
  if (node.single && !text.empty()) {
    if (const auto found = find(*node.single, depth + 1, path); found.route) return found;
  }
  return {node.rest, false};
}

}  // namespace hotline::http
