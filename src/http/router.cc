#include "http/router.h"

#include <algorithm>
#include <optional>

#include <hotline/base/error.h>

#include "http/request_builder.h"

namespace hotline::http {
namespace {

std::string_view host_name(std::string_view host) noexcept {
  return parse_host(host).value_or(std::string_view{});
}

RouteTree::Found find_in(const std::map<std::string, RouteTree, std::less<>>& methods,
                         std::string_view method, const SplitPath& path) {
  const auto below = [&](std::string_view key) {
    const auto tree = methods.find(key);
    return tree == methods.end() ? RouteTree::Found{} : tree->second.find(path);
  };
  auto found = below(method);
  if (!found.route && method == "HEAD") found = below("GET");
  if (!found.route) found = below({});
  return found;
}

Response plain(Status status) {
  auto text = std::to_string(static_cast<int>(status));
  text.append(" ").append(reason_phrase(status)).append("\n");
  return {status, std::move(text)};
}

Response redirect(const Request& request, std::string_view path) {
  // A client may turn what is not GET into GET when it meets a 301 (RFC 9110 15.4.2).
  const bool harmless = request.method() == "GET" || request.method() == "HEAD";
  auto response = plain(harmless ? Status::moved_permanently : Status::permanent_redirect);
  auto location = encoded_for_location(path);
  location.append(request.target().substr(request.path().size()));  // the query, with its '?'
  response.add("Location", location);
  return response;
}

}  // namespace

bool Router::WithoutCase::operator()(std::string_view a, std::string_view b) const noexcept {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return lower(x) < lower(y); });
}

Router::Router() {
  unserved_.pattern.text = "(no route)";
  unserved_.own = [this](Exchange exchange) -> Task<> {
    const auto answering = exchange.respond(refusal(exchange.request()));
    (void)answering;  // it is sent all the same
    return {};
  };
  wrap(unserved_);
}

void Router::add(std::string_view text, Handler handler) {
  auto route = std::make_unique<Route>();
  route->pattern = parse_pattern(text);
  const auto& pattern = route->pattern;
  if (!handler)
    throw Error(Fault::bad_option, "the route \"" + escaped(text) + "\" has no handler");
  for (const auto& other : routes_) {
    const auto conflict = find_conflict(pattern, other->pattern);
    if (!conflict.empty()) throw Error(Fault::bad_option, conflict);
  }
  route->own = std::move(handler);
  wrap(*route);
  depth_ = std::max(depth_, pattern.segments.size());
  hosts_[pattern.host][pattern.method].add(pattern, *route);
  routes_.push_back(std::move(route));
}

void Router::use(Middleware middleware) {
  if (!middleware) throw Error(Fault::bad_option, "the middleware is empty");
  middleware_.push_back(std::move(middleware));
  wrap(unserved_);
  for (const auto& route : routes_) wrap(*route);
}

// The first that was used is the outermost.
void Router::wrap(Route& route) {
  Handler handler = [&own = route.own](Exchange exchange) { return own(std::move(exchange)); };
  for (auto at = middleware_.rbegin(); at != middleware_.rend(); ++at) {
    handler = [&middleware = *at, next = std::move(handler)](Exchange exchange) {
      return middleware(std::move(exchange), next);
    };
  }
  route.handler = std::move(handler);
}

const Router::Methods* Router::methods_of(std::string_view host) const {
  const auto methods = hosts_.find(host);
  return methods == hosts_.end() ? nullptr : &methods->second;
}

Router::Found Router::find(std::string_view method, std::string_view host,
                           const SplitPath& path) const {
  Found found;
  if (!host.empty()) {
    if (const auto* methods = methods_of(host)) found = find_in(*methods, method, path);
  }
  if (!found.route) {
    if (const auto* methods = methods_of({})) found = find_in(*methods, method, path);
  }
  return found;
}

const Route& Router::find(std::string_view method, std::string_view host, std::string_view path,
                          RouteMatch& match) const {
  match.parameters.clear();
  match.pattern = match.rest = {};
  const bool connects = method == "CONNECT";
  if (!connects && !is_clean(path)) return unserved_;
  match.path.assign(path, depth_ + 1);
  const auto name =
      hosts_.empty() || hosts_.rbegin()->first.empty() ? std::string_view{} : host_name(host);
  const auto found = find(method, name, match.path);
  if (!found.exact && !connects && !path.ends_with('/')) {
    match.path.append_slash(true);
    if (find(method, name, match.path).exact) return unserved_;  // which redirects there
  }
  if (!found.route) return unserved_;
  match.pattern = found.route->pattern.text;
  const auto& segments = found.route->pattern.segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    const auto& [kind, text] = segments[i];
    if (kind == Pattern::Kind::single) match.parameters.emplace_back(text, match.path[i].sent);
    if (kind == Pattern::Kind::rest) {
      match.rest = match.path.from(i);
      if (!text.empty()) match.parameters.emplace_back(text, match.rest);
    }
  }
  return *found.route;
}

Response Router::refusal(const Request& request) const {
  auto response = unserved_answer(request);
  // What follows a request that wanted to leave HTTP is perhaps not HTTP.
  if (request.header_has_token("Upgrade", "websocket")) response.close();
  return response;
}

Response Router::unserved_answer(const Request& request) const {
  if (!request.path().starts_with('/')) return plain(Status::not_found);  // OPTIONS *
  const auto host = host_name(request.host());
  const auto method = request.method();
  const bool connects = method == "CONNECT";
  const auto path = connects ? std::string(request.path()) : cleaned(request.path());
  SplitPath split;
  split.assign(path, depth_ + 1);
  const bool slash = split.ends_in_slash();
  const bool exact = find(method, host, split).exact;
  auto allowed = methods_allowed(host, split);
  if (!connects && !slash) {
    split.append_slash(true);
    if (!exact && find(method, host, split).exact) return redirect(request, path + '/');
    allowed.merge(methods_allowed(host, split));
  }
  if (!connects && path != request.path()) return redirect(request, path);
  if (allowed.empty()) return plain(Status::not_found);
  std::string list;
  for (const auto& name : allowed) list.append(list.empty() ? "" : ", ").append(name);
  auto response = plain(Status::method_not_allowed);
  response.add("Allow", list);
  return response;
}

std::set<std::string_view> Router::methods_allowed(std::string_view host,
                                                   const SplitPath& path) const {
  std::set<std::string_view> result;
  for (const auto name : {host, std::string_view{}}) {
    const auto* methods = methods_of(name);
    if (!methods) continue;
    for (const auto& [method, tree] : *methods) {
      if (!tree.find(path).route) continue;
      result.insert(method);
      if (method == "GET") result.insert("HEAD");
    }
  }
  return result;
}

}  // namespace hotline::http
