#include "http/router.h"

#include <gtest/gtest.h>

#include <hotline/base/error.h>

#include "http/host_rule.h"

namespace hotline::http {
namespace {

class Routes {
 public:
  explicit Routes(std::initializer_list<const char*> patterns) {
    for (const auto* pattern : patterns) add(pattern);
  }
  void add(std::string_view pattern) {
    router_.add(pattern, [](Exchange) -> Task<> { return {}; });
  }
  // The pattern taken, with the wildcards' values; or the status.
  std::string operator()(std::string_view path, std::string_view method = "GET") const {
    RouteMatch match;
    router_.find(method, path, match);
    if (!match.route) return match.path_known ? "405 " + router_.allowed_methods(path) : "404";
    auto text = match.route->pattern;
    for (const auto& [name, value] : match.parameters) {
      text.append(" ").append(name).append("=").append(value);
    }
    return text;
  }

 private:
  Router router_;
};

TEST(Router, takes_a_path_exactly) {
  const Routes routes{"/", "/{$}", "/a", "/a/b"};
  EXPECT_EQ(routes("/a"), "/a");
  EXPECT_EQ(routes("/a/b"), "/a/b");
  EXPECT_EQ(routes("/"), "/{$}");
  EXPECT_EQ(routes("/ab"), "/");
  EXPECT_EQ(routes("/a/"), "/");
  EXPECT_EQ(routes("/A"), "/");
  EXPECT_EQ(routes("*"), "404");
  EXPECT_EQ(routes(""), "404");
  EXPECT_EQ(Routes{"/a"}("/"), "404");
}

TEST(Router, serves_all_below_a_slash) {
  const Routes routes{"/a/", "/a/b/", "/c/{$}"};
  EXPECT_EQ(routes("/a/"), "/a/");
  EXPECT_EQ(routes("/a/x/y"), "/a/");
  EXPECT_EQ(routes("/a/b"), "/a/");
  EXPECT_EQ(routes("/a/b/"), "/a/b/");
  EXPECT_EQ(routes("/a/b/c"), "/a/b/");
  EXPECT_EQ(routes("/a"), "404");
  EXPECT_EQ(routes("/c/"), "/c/{$}");
  EXPECT_EQ(routes("/c/d"), "404");
}

TEST(Router, puts_a_segment_into_a_wildcard) {
  const Routes routes{"/chat/{room}", "/chat/{room}/log/{day}", "/chat/lobby", "/{any}/x/"};
  EXPECT_EQ(routes("/chat/blue"), "/chat/{room} room=blue");
  EXPECT_EQ(routes("/chat/blue/log/3"), "/chat/{room}/log/{day} room=blue day=3");
  EXPECT_EQ(routes("/chat/lobby"), "/chat/lobby");
  EXPECT_EQ(routes("/q/x/y/z"), "/{any}/x/ any=q");
  EXPECT_EQ(routes("/chat/"), "404");
  EXPECT_EQ(routes("/chat/blue/"), "404");
}

TEST(Router, asks_those_that_say_more_first_in_whatever_order_they_come) {
  const char* patterns[] = {"/", "/{a}", "/x", "/x/", "/{a}/y", "/x/{b}", "GET /x", "HEAD /x"};
  std::sort(std::begin(patterns), std::end(patterns), std::less<std::string_view>{});
  do {
    Routes routes{};
    for (const auto* pattern : patterns) routes.add(pattern);
    ASSERT_EQ(routes("/x"), "GET /x");
    ASSERT_EQ(routes("/x", "HEAD"), "HEAD /x");
    ASSERT_EQ(routes("/x", "POST"), "/x");
    ASSERT_EQ(routes("/z"), "/{a} a=z");
    ASSERT_EQ(routes("/x/y"), "/x/{b} b=y");
    ASSERT_EQ(routes("/z/y"), "/{a}/y a=z");
    ASSERT_EQ(routes("/x/y/z"), "/x/");
    ASSERT_EQ(routes("/z/y/x"), "/");
  } while (std::next_permutation(std::begin(patterns), std::begin(patterns) + 6,
                                 std::less<std::string_view>{}));
}

TEST(Router, knows_the_methods_of_a_path) {
  const Routes routes{"GET /a", "POST /a", "DELETE /{any}"};
  EXPECT_EQ(routes("/a"), "GET /a");
  EXPECT_EQ(routes("/a", "HEAD"), "GET /a");
  EXPECT_EQ(routes("/a", "POST"), "POST /a");
  EXPECT_EQ(routes("/a", "DELETE"), "DELETE /{any} any=a");
  EXPECT_EQ(routes("/a", "PUT"), "405 GET, HEAD, POST, DELETE");
  EXPECT_EQ(routes("/a", "get"), "405 GET, HEAD, POST, DELETE");
  EXPECT_EQ(routes("/b", "GET"), "405 DELETE");
}

TEST(Router, refuses_patterns_that_are_malformed_or_stand_already) {
  for (const auto* pattern : {"", "a", "GET", "GET  /a", "G@T /a", " /a", "/a?b", "/a#b", "/a b",
                              "/\xc3\xa4", "/{}", "/{a", "/a{b}", "/{a}b", "/{$}/a", "/{a b}"}) {
    Routes routes{};
    try {
      routes.add(pattern);
      ADD_FAILURE() << pattern;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Fault::bad_option) << pattern;
    }
  }
  Routes routes{"/a", "GET /a", "/{x}", "/b/"};
  for (const auto* pattern : {"/a", "GET /a", "/{y}", "/b/"}) {
    EXPECT_THROW(routes.add(pattern), Error) << pattern;
  }
  routes.add("POST /a");
  routes.add("/b/{$}");
  Router router;
  EXPECT_THROW(router.add("/a", nullptr), Error);
}

TEST(HostRule, on_loopback_knows_the_machine_itself_and_the_names_it_is_told) {
  const HostRule rule{true, {"dev.example"}};
  for (const auto* host : {"", "localhost", "LocalHost:80", "a.localhost", "127.0.0.1:1",
                           "[::1]:8080", "10.1.2.3", "dev.example", "DEV.example:99"}) {
    EXPECT_TRUE(rule.allows(host)) << host;
  }
  for (const auto* host :
       {"evil.example", "localhost.evil.example", "xlocalhost", ".localhost",
        "dev.example.evil.example", "127.1", "0x7f.0.0.1", "127.0.0.1.evil.example"}) {
    EXPECT_FALSE(rule.allows(host)) << host;
  }
}

TEST(HostRule, elsewhere_knows_any_name_unless_it_is_told_some) {
  EXPECT_TRUE(HostRule(false, {}).allows("example.org"));
  const HostRule told{false, {"example.org"}};
  EXPECT_TRUE(told.allows("example.org"));
  EXPECT_FALSE(told.allows("other.example"));
}

}  // namespace
}  // namespace hotline::http
