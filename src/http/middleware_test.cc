#include <hotline/http/middleware.h>

#include <stdexcept>

#include <hotline/base/error.h>

#include "http/site_fixture.h"

namespace hotline::http::testing {
namespace {

// Notes when a request comes by, and when it goes back.
Middleware noting(std::string& notes, std::string name) {
  return [&notes, name](Exchange exchange, const Handler& next) -> Task<> {
    notes += "<" + name;
    co_await next(std::move(exchange));
    notes += name + ">";
  };
}

// Lets only those by who say the word.
Task<> guard(Exchange exchange, const Handler& next) {
  if (exchange.request().header("Authorization") != "sesame") {
    co_return co_await exchange.respond(Status::unauthorized, "who are you?");
  }
  co_await next(std::move(exchange));
}

const auto moved =
    "HTTP/1.1 301 Moved Permanently\r\nContent-Type: text/plain; charset=utf-8\r\n"
    "Location: /tree/\r\nContent-Length: 22\r\n\r\n301 Moved Permanently\n";

TEST(Middleware, that_was_used_first_is_the_outermost) {
  Site site;
  std::string notes;
  site.use(noting(notes, "a"));
  site.handle_ok();
  site.use(noting(notes, "b"));  // behind the route
  EXPECT_EQ(site.connect().exchange(get("/ok")), answer("200 OK", "ok\n"));
  EXPECT_EQ(notes, "<a<bb>a>");
}

TEST(Middleware, sees_requests_that_no_route_serves) {
  Site site;
  std::string notes;
  site.handle_ok("POST /ok");
  site.handle_ok("/tree/");
  site.use(noting(notes, "a"));
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/nowhere")), answer("404 Not Found", "404 Not Found\n"));
  EXPECT_EQ(notes, "<aa>");
  EXPECT_NE(client.exchange(get("/ok")).find("405 "), std::string::npos);
  EXPECT_EQ(client.exchange(get("/tree")), moved);
  EXPECT_EQ(notes, "<aa><aa><aa>");
}

TEST(Middleware, may_answer_itself) {
  Site site;
  std::string notes;
  site.use(guard);
  site.use(noting(notes, "a"));
  site.handle_ok();
  auto client = site.connect();
  EXPECT_EQ(
      client.exchange(get("/ok") + get("/nowhere")),
      answer("401 Unauthorized", "who are you?") + answer("401 Unauthorized", "who are you?"));
  EXPECT_EQ(notes, "");
  EXPECT_EQ(client.exchange(get("/ok", "Authorization: sesame\r\n")), answer("200 OK", "ok\n"));
  EXPECT_EQ(notes, "<aa>");
}

TEST(Middleware, may_leave_it_to_the_next_without_a_frame_of_its_own) {
  Site site;
  std::string path;
  site.use([&](Exchange exchange, const Handler& next) {
    path = exchange.request().path();
    return next(std::move(exchange));
  });
  site.handle("/{x}", [](Exchange exchange) -> Task<> {
    EXPECT_EQ(hotline::detail::live_tasks, 1);
    co_await exchange.respond(Status::ok, exchange.request().parameter("x"));
  });
  EXPECT_EQ(site.connect().exchange(get("/y")), answer("200 OK", "y"));
  EXPECT_EQ(path, "/y");
}

TEST(Middleware, stands_around_one_route_where_it_wraps_its_handler) {
  Site site;
  std::string notes;
  site.use(noting(notes, "all"));
  site.handle_ok("/open");
  site.handle("/{room}", wrap(guard, wrap(noting(notes, "one"), [](Exchange exchange) -> Task<> {
                                co_await exchange.respond(Status::ok,
                                                          exchange.request().parameter("room"));
                              })));
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/open")), answer("200 OK", "ok\n"));
  EXPECT_EQ(client.exchange(get("/red")), answer("401 Unauthorized", "who are you?"));
  EXPECT_EQ(notes, "<allall><allall>");
  EXPECT_EQ(client.exchange(get("/red", "Authorization: sesame\r\n")), answer("200 OK", "red"));
  EXPECT_EQ(notes, "<allall><allall><all<oneone>all>");
}

TEST(Middleware, waits_while_the_handler_does) {
  Site site;
  std::string notes;
  site.use(noting(notes, "a"));
  site.handle_later();
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/later")), "");
  EXPECT_EQ(notes, "<a");
  site.open_gate();
  EXPECT_EQ(client.receive(), answer("200 OK", "/later"));
  EXPECT_EQ(notes, "<aa>");
}

TEST(Middleware, is_cancelled_with_its_handler_when_the_client_hangs_up) {
  Site site;
  std::string notes;
  site.use(noting(notes, "a"));
  site.handle_later();
  auto client = site.connect();
  client.exchange(get("/later"));
  client.hang_up();
  EXPECT_EQ(site.handlers(), 0u);
  EXPECT_EQ(notes, "<a");
}

TEST(Middleware, sees_what_the_handler_throws) {
  Site site;
  site.use([](Exchange exchange, const Handler& next) -> Task<> {
    std::string what;
    try {
      co_await next(std::move(exchange));
    } catch (const std::runtime_error& error) {
      what = error.what();
    }
    EXPECT_EQ(what, "bad luck");
    throw std::runtime_error("worse luck");
  });
  site.handle("/throw", [](Exchange exchange) -> Task<> {
    co_await exchange.respond(Status::ok, "so far\n");
    throw std::runtime_error("bad luck");
  });
  EXPECT_EQ(site.connect().exchange(get("/throw")), answer("200 OK", "so far\n"));
  EXPECT_EQ(site.loop.log().lines.back(), "the handler of /throw failed: worse luck");
}

TEST(Middleware, that_throws_or_answers_nothing_answers_500) {
  Site site;
  const auto failed = answer("500 Internal Server Error", "500 Internal Server Error\n");
  bool throws = true;
  site.use([&](Exchange, const Handler&) -> Task<> {
    if (throws) throw std::runtime_error("bad luck");
    return {};
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/nowhere")), failed);
  EXPECT_EQ(site.loop.log().lines.back(), "the handler of (no route) failed: bad luck");
  throws = false;
  EXPECT_EQ(client.exchange(get("/nowhere")), failed);
}

TEST(Middleware, lets_a_handler_take_the_connection_over) {
  Site site;
  std::string notes;
  site.use(noting(notes, "a"));
  site.handle("/hijack", [](Exchange exchange) -> Task<> {
    auto stream = co_await exchange.hijack();
    co_await stream.write("mine now");
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/hijack")), "mine now");
  EXPECT_EQ(notes, "<aa>");
}

TEST(Middleware, that_is_empty_is_refused) {
  Site site;
  const Handler handler = [](Exchange) -> Task<> { return {}; };
  EXPECT_THROW(site.use(nullptr), Error);
  EXPECT_THROW(wrap(nullptr, handler), Error);
  EXPECT_THROW(wrap(guard, nullptr), Error);
}

}  // namespace
}  // namespace hotline::http::testing
