#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hotline/http/exchange.h>

namespace hotline::http {

/// A pattern and its handler. Its address is stable while the router lives.
struct Route {
  struct Segment {
    std::string text;  // of a wildcard: its name
    bool wildcard = false;
  };

  std::string pattern;  // as given
  std::string method;   // "": all
  std::vector<Segment> segments;
  bool subtree = false;  // ends in "/": all below it, too
  Handler handler;
};

/// What a request's path has come to. Views are into the path.
struct RouteMatch {
  const Route* route = nullptr;
  bool path_known = false;  // without a route: some other method has one
  std::vector<std::pair<std::string_view, std::string_view>> parameters;  // still percent-encoded
};

/// Server::handle has the rules. Immutable once requests come.
class Router {
 public:
  void add(std::string_view pattern, Handler handler);

  /// `match` is overwritten; a vector that is used again costs no allocation.
  void find(std::string_view method, std::string_view path, RouteMatch& match) const;
  /// For 405: "GET, HEAD, POST".
  std::string allowed_methods(std::string_view path) const;

 private:
  // Those that say more about a path come first.
  std::vector<std::unique_ptr<const Route>> routes_;
};

}  // namespace hotline::http
