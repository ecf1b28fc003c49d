#include "http/router.h"

#include <algorithm>

#include <gtest/gtest.h>

#include <hotline/base/error.h>

#include "http/request_builder.h"
#include "http/site_fixture.h"

namespace hotline::http {
namespace {

using testing::answer;
using testing::get;
using testing::Site;

class Routes {
 public:
  explicit Routes(std::initializer_list<const char*> patterns) {
    for (const auto* pattern : patterns) add(pattern);
  }
  void add(std::string_view pattern) {
    router_.add(pattern, [](Exchange) -> Task<> { return {}; });
  }
  // The pattern taken, with the wildcards' values; or the answer, without its body.
  std::string operator()(std::string_view target, std::string_view method = "GET",
                         std::string_view host = "localhost") const {
    std::string head{method};
    head.append(" ").append(target).append(" HTTP/1.1\r\nHost: ").append(host).append("\r\n\r\n");
    Request request;
    RequestTraits traits;
    RequestBuilder::build(head, 1, request, traits);
    RouteMatch match;
    const auto& route = router_.find(method, traits.host, request.path(), match);
    auto text = route.pattern.text;
    for (const auto& [name, value] : match.parameters) {
      text.append(" ").append(name).append("=").append(value);
    }
    if (text != "(no route)") return text;
    const auto response = router_.refusal(request);
    text = std::to_string(static_cast<int>(response.status()));
    for (const auto& [name, value] : response.headers()) {
      if (name != "Content-Type") text.append(" ").append(value);
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
  EXPECT_EQ(routes("/a/b/c/d/e"), "/");
  EXPECT_EQ(routes("*", "OPTIONS"), "404");
  EXPECT_EQ(Routes{"/a"}("/"), "404");
  EXPECT_EQ(Routes{}("/"), "404");
}

TEST(Router, serves_all_below_a_slash) {
  const Routes routes{"/a/", "/a/b/", "/c/{$}"};
  EXPECT_EQ(routes("/a/"), "/a/");
  EXPECT_EQ(routes("/a/x/y"), "/a/");
  EXPECT_EQ(routes("/a/b/"), "/a/b/");
  EXPECT_EQ(routes("/a/b/c"), "/a/b/");
  EXPECT_EQ(routes("/c/"), "/c/{$}");
  EXPECT_EQ(routes("/c/d"), "404");
}

TEST(Router, puts_a_segment_or_the_rest_into_a_wildcard) {
  const Routes routes{"/chat/{room}", "/chat/{room}/log/{day}", "/chat/lobby", "/in/{any}/x/",
                      "/files/{path...}"};
  EXPECT_EQ(routes("/chat/blue"), "/chat/{room} room=blue");
  EXPECT_EQ(routes("/chat/blue/log/3"), "/chat/{room}/log/{day} room=blue day=3");
  EXPECT_EQ(routes("/chat/lobby"), "/chat/lobby");
  EXPECT_EQ(routes("/chat/lobby/log/3"), "/chat/{room}/log/{day} room=lobby day=3");
  EXPECT_EQ(routes("/in/q/x/y/z"), "/in/{any}/x/ any=q");
  EXPECT_EQ(routes("/chat/"), "404");
  EXPECT_EQ(routes("/chat/blue/"), "404");
  EXPECT_EQ(routes("/files/"), "/files/{path...} path=");
  EXPECT_EQ(routes("/files/a"), "/files/{path...} path=a");
  EXPECT_EQ(routes("/files/a/b%2Fc/"), "/files/{path...} path=a/b%2Fc/");
}

TEST(Router, compares_segments_decoded) {
  const Routes routes{"/a%2Fb", "/{x}/c", "/\xc3\xa4", "/%7Bx%7D"};
  EXPECT_EQ(routes("/a%2fb"), "/a%2Fb");
  EXPECT_EQ(routes("/%61%2F%62"), "/a%2Fb");
  EXPECT_EQ(routes("/a/b"), "404");
  EXPECT_EQ(routes("/1%2F2/%63"), "/{x}/c x=1%2F2");
  EXPECT_EQ(routes("/%C3%A4"), "/\xc3\xa4");
  EXPECT_EQ(routes("/%7bx%7d"), "/%7Bx%7D");
  EXPECT_EQ((Routes{"/{$}", "/{x}"}("/%2F")), "/{x} x=%2F") << "an encoded slash is no slash";
  EXPECT_EQ(Routes{"/%zz"}("/%zz"), "/%zz");
}

TEST(Router, takes_the_most_specific_in_whatever_order_they_come) {
  const char* patterns[] = {"/", "/{a}", "/x", "/x/", "/q/{a}/y", "/x/{b}", "HEAD /x", "GET /x"};
  std::sort(std::begin(patterns), std::end(patterns), std::less<std::string_view>{});
  do {
    Routes routes{};
    for (const auto* pattern : patterns) routes.add(pattern);
    ASSERT_EQ(routes("/x"), "GET /x");
    ASSERT_EQ(routes("/x", "HEAD"), "HEAD /x");
    ASSERT_EQ(routes("/x", "POST"), "/x");
    ASSERT_EQ(routes("/z"), "/{a} a=z");
    ASSERT_EQ(routes("/x/y"), "/x/{b} b=y");
    ASSERT_EQ(routes("/q/z/y"), "/q/{a}/y a=z");
    ASSERT_EQ(routes("/x/q/z"), "/x/");
    ASSERT_EQ(routes("/z/y/x"), "/");
  } while (std::next_permutation(std::begin(patterns), std::begin(patterns) + 6,
                                 std::less<std::string_view>{}));
}

TEST(Router, comes_back_from_a_segment_that_leads_nowhere) {
  const Routes routes{"/a/b/c", "/a/{x}/d", "/{y}/b/e/f", "/{rest...}"};
  EXPECT_EQ(routes("/a/b/c"), "/a/b/c");
  EXPECT_EQ(routes("/a/b/d"), "/a/{x}/d x=b");
  EXPECT_EQ(routes("/a/b/e/f"), "/{y}/b/e/f y=a");
  EXPECT_EQ(routes("/a/b/e"), "/{rest...} rest=a/b/e");
}

// The rows of net/http's own table, in which an earlier rule may hide a later one.
TEST(Router, agrees_with_the_documentation_of_servemux) {
  const Routes routes{"GET /item/{user}", "POST /item/{user}",   "/item/{user}/{$}",
                      "/images/",         "/images/thumbnails/", "GET /images/thumbnails/new",
                      "example.com/",     "/item/{user}/new/",   "example.com/item/jba",
                      "GET /{$}"};
  EXPECT_EQ(routes("/item/jba"), "GET /item/{user} user=jba");
  EXPECT_EQ(routes("/item/jba", "POST"), "POST /item/{user} user=jba");
  EXPECT_EQ(routes("/item/jba", "HEAD"), "GET /item/{user} user=jba");
  EXPECT_EQ(routes("/item/jba/"), "/item/{user}/{$} user=jba");
  EXPECT_EQ(routes("/item/jba/new/5/6"), "/item/{user}/new/ user=jba");
  EXPECT_EQ(routes("/item/jba/old"), "404");
  EXPECT_EQ(routes("/images/thumbnails/new"), "GET /images/thumbnails/new");
  EXPECT_EQ(routes("/images/thumbnails/new", "PUT"), "/images/thumbnails/");
  EXPECT_EQ(routes("/images/thumbnailsX"), "/images/");
  EXPECT_EQ(routes("/item/jba", "GET", "example.com"), "example.com/item/jba");
  EXPECT_EQ(routes("/item/abj", "GET", "example.com"), "example.com/");
  EXPECT_EQ(routes("/"), "GET /{$}");
}

TEST(Router, prefers_the_host_that_is_named) {
  const Routes routes{"x.org/a", "X.org/{w}/", "GET y.org/a", "/a", "/b", "[::1]/a"};
  EXPECT_EQ(routes("/a", "GET", "x.org"), "x.org/a");
  EXPECT_EQ(routes("/a", "GET", "X.ORG:8080"), "x.org/a");
  EXPECT_EQ(routes("/a", "GET", "x.org.evil"), "/a");
  EXPECT_EQ(routes("/b", "GET", "x.org"), "/b") << "it knows no better";
  EXPECT_EQ(routes("/a", "POST", "y.org"), "/a");
  EXPECT_EQ(routes("/a", "GET", "[::1]:80"), "[::1]/a");
  EXPECT_EQ(routes("/q/", "GET", "x.org"), "X.org/{w}/ w=q");
  EXPECT_EQ(routes("/q/", "GET", "z.org"), "404");
}

TEST(Router, knows_the_methods_of_a_path) {
  const Routes routes{"GET /a", "POST /a", "DELETE /{any}", "PUT x.org/a", "PATCH /c/"};
  EXPECT_EQ(routes("/a"), "GET /a");
  EXPECT_EQ(routes("/a", "HEAD"), "GET /a");
  EXPECT_EQ(routes("/a", "POST"), "POST /a");
  EXPECT_EQ(routes("/a", "DELETE"), "DELETE /{any} any=a");
  EXPECT_EQ(routes("/a", "PUT"), "405 DELETE, GET, HEAD, POST");
  EXPECT_EQ(routes("/a", "get"), "405 DELETE, GET, HEAD, POST");
  EXPECT_EQ(routes("/a", "PATCH", "x.org"), "405 DELETE, GET, HEAD, POST, PUT");
  EXPECT_EQ(routes("/b", "GET"), "405 DELETE");
  EXPECT_EQ(routes("/c", "GET"), "405 DELETE, PATCH") << "there is a redirect";
  EXPECT_EQ(routes("/c/d", "GET"), "405 PATCH");
  EXPECT_EQ((Routes{"HEAD /h", "GET /"}("/h", "GET")), "GET /");
}

TEST(Router, redirects_to_the_slash_of_a_subtree) {
  const Routes routes{"/a/", "/h/{x}/b/", "/c/{$}", "/d/{y...}", "POST /e/", "/f", "/f/", "/g/h/"};
  EXPECT_EQ(routes("/a"), "301 /a/");
  EXPECT_EQ(routes("/a?x=1&y=//"), "301 /a/?x=1&y=//");
  EXPECT_EQ(routes("/a?"), "301 /a/?");
  EXPECT_EQ(routes("/a", "HEAD"), "301 /a/");
  EXPECT_EQ(routes("/a", "POST"), "308 /a/");
  EXPECT_EQ(routes("/a", "CONNECT"), "404");
  EXPECT_EQ(routes("/h/q/b"), "301 /h/q/b/");
  EXPECT_EQ(routes("/c"), "301 /c/");
  EXPECT_EQ(routes("/d"), "301 /d/");
  EXPECT_EQ(routes("/e"), "405 POST");
  EXPECT_EQ(routes("/e", "POST"), "308 /e/");
  EXPECT_EQ(routes("/f"), "/f");
  EXPECT_EQ(routes("/g"), "404");
  EXPECT_EQ((Routes{"/", "/a/"}("/a")), "301 /a/") << "/ would serve it, but less exactly";
  EXPECT_EQ((Routes{"/", "/a/"}("/ab")), "/");
}

TEST(Router, redirects_to_the_clean_path) {
  const Routes routes{"/", "/a/", "CONNECT /a//b"};
  EXPECT_EQ(routes("//a/b"), "301 /a/b");
  EXPECT_EQ(routes("/x/../y?../z"), "301 /y?../z");
  EXPECT_EQ(routes("/x/%2e%2E/y", "PUT"), "308 /y");
  EXPECT_EQ(routes("/b/../a"), "301 /a/") << "both at once";
  EXPECT_EQ(routes("/a//b", "CONNECT"), "CONNECT /a//b");
  EXPECT_EQ(routes("/x/../y", "CONNECT"), "/");
  EXPECT_EQ(Routes{"/a"}("/b//c"), "301 /b/c") << "there may be nothing there";
}

// A browser takes "//host" and "/\host" for another site.
TEST(Router, never_redirects_to_another_host) {
  const Routes routes{"/{x}/", "/"};
  EXPECT_EQ(routes("//evil.example/.."), "301 /");
  EXPECT_EQ(routes("//evil.example"), "301 /evil.example/");
  EXPECT_EQ(routes("/\\evil.example"), "301 /%5Cevil.example/");
  EXPECT_EQ(routes("/.//evil.example/"), "301 /evil.example/");
  EXPECT_EQ(routes("/%5Cevil.example"), "301 /%5Cevil.example/");
}

TEST(Router, refuses_routes_that_conflict_or_have_no_handler) {
  Routes routes{"/a", "GET /a", "/{x}", "/b/", "x.org/b/{y}"};
  for (const auto* pattern : {"/a", "GET /a", "/{y}", "/b/", "GET /", "x.org/{z}/c", "/{b"}) {
    EXPECT_THROW(routes.add(pattern), Error) << pattern;
  }
  routes.add("POST /a");
  routes.add("/b/{$}");
  routes.add("y.org/{z}/c");
  EXPECT_EQ(routes("/c/d"), "404") << "of those refused, nothing is left";
  Router router;
  EXPECT_THROW(router.add("/a", nullptr), Error);
  EXPECT_THROW(router.use(nullptr), Error);
}

TEST(Routing, gives_the_handler_its_parameters_decoded) {
  Site site;
  site.handle("/{a}/{rest...}", [](Exchange exchange) -> Task<> {
    const auto& request = exchange.request();
    const auto text = std::string(request.parameter("a")) + "|" +
                      std::string(request.parameter("rest")) + "|" +
                      std::string(request.parameter("none"));
    co_await exchange.respond(Status::ok, text);
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/x%2Fy/b%20c/%64/")), answer("200 OK", "x/y|b c/d/|"));
  EXPECT_EQ(client.exchange(get("/x/")), answer("200 OK", "x||"));
}

TEST(Routing, redirects_and_goes_on) {
  Site site;
  site.handle_ok("/ok/");
  auto client = site.connect();
  const auto moved = [](const std::string& location) {
    return "HTTP/1.1 301 Moved Permanently\r\nContent-Type: text/plain; "
           "charset=utf-8\r\nLocation: " +
           location + "\r\nContent-Length: 22\r\n\r\n301 Moved Permanently\n";
  };
  EXPECT_EQ(client.exchange(get("/ok?q") + get("/x/..//ok/")), moved("/ok/?q") + moved("/ok/"));
  EXPECT_EQ(site.sessions(), 1u);
}

TEST(Routing, tells_the_handler_its_pattern_and_what_the_end_of_it_stands_for) {
  Site site;
  const auto tell = [](Exchange exchange) -> Task<> {
    const auto& asked = exchange.request();
    const auto text = std::string(asked.pattern()) + "|" + std::string(asked.rest());
    co_await exchange.respond(Status::ok, text);
  };
  for (const auto* pattern : {"/a/", "GET /b/{rest...}", "/{c}"}) site.handle(pattern, tell);
  site.use([](Exchange exchange, const Handler& next) {
    if (exchange.request().path() == "/no/where") {
      EXPECT_EQ(exchange.request().pattern(), "");
    }
    return next(std::move(exchange));
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/a/b%2Fc/d?e")), answer("200 OK", "/a/|b%2Fc/d"));
  EXPECT_EQ(client.exchange(get("/b/")), answer("200 OK", "GET /b/{rest...}|"));
  EXPECT_EQ(client.exchange(get("/x")), answer("200 OK", "/{c}|"));
  EXPECT_EQ(client.exchange(get("/no/where")), answer("404 Not Found", "404 Not Found\n"));
}

// What follows is perhaps not HTTP, but what an eager client sent on its WebSocket.
TEST(Routing, closes_where_it_refuses_a_request_that_wanted_to_upgrade) {
  Site site;
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/nowhere", "Upgrade: websocket\r\nConnection: Upgrade\r\n") +
                            get("/nowhere")),
            testing::last_answer("404 Not Found", "404 Not Found\n"));
}

}  // namespace
}  // namespace hotline::http
