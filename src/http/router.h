#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <hotline/http/exchange.h>
#include <hotline/http/middleware.h>

#include "http/path.h"
#include "http/pattern.h"
#include "http/route_tree.h"

namespace hotline::http {

/// A pattern and its handler. Its address is stable while the router lives.
struct Route {
  Pattern pattern;
  /// What answers: `own`, inside all middleware.
  Handler handler;
  Handler own;
};

/// What a request's path has come to. Views are into the path.
struct RouteMatch {
  std::vector<std::pair<std::string_view, std::string_view>> parameters;  // still percent-encoded
  std::string_view pattern;  // "" of one that answers where there is no route
  std::string_view rest;     // what the end of the pattern stands for
  SplitPath path;            // the router's own, to be used again
};

/// Server::handle and Server::use have the rules. Immutable once requests come.
class Router {
 public:
  Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  void add(std::string_view pattern, Handler handler);
  void use(Middleware middleware);

  /// The route that serves the request: where there is none, one that answers refusal(). `host`: as
  /// sent. `match` is overwritten; one that is used again costs no allocation.
  const Route& find(std::string_view method, std::string_view host, std::string_view path,
                    RouteMatch& match) const;
  /// The answer to a request that no route serves: 404, 405, or a redirect to the path that one
  /// serves.
  Response refusal(const Request& request) const;

 private:
  struct WithoutCase {
    using is_transparent = void;
    bool operator()(std::string_view a, std::string_view b) const noexcept;
  };
  using Methods = std::map<std::string, RouteTree, std::less<>>;  // "": all
  using Hosts = std::map<std::string, Methods, WithoutCase>;      // "": all
  using Found = RouteTree::Found;

  Found find(std::string_view method, std::string_view host, const SplitPath& path) const;
  const Methods* methods_of(std::string_view host) const;
  Response unserved_answer(const Request& request) const;
  std::set<std::string_view> methods_allowed(std::string_view host, const SplitPath& path) const;
  void wrap(Route& route);

  std::deque<Middleware> middleware_;
  std::vector<std::unique_ptr<Route>> routes_;
  Hosts hosts_;
  std::size_t depth_ = 0;  // segments of the longest pattern
  Route unserved_;
};

}  // namespace hotline::http
