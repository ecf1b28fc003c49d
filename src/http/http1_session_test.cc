#include <stdexcept>

#include <hotline/base/error.h>

#include "http/site_fixture.h"

namespace hotline::http::testing {
namespace {

using namespace std::chrono_literals;

TEST(Http1Session, answers_in_exact_bytes) {
  Site site;
  site.handle_ok();
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/ok")),
            "HTTP/1.1 200 OK\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Length: 3\r\n"
            "\r\n"
            "ok\n");
}

TEST(Http1Session, dates_each_answer) {
  DateCache dates;
  const std::string date{dates.now()};
  EXPECT_EQ(date.size(), 29u);
  Response response{Status::ok};
  std::string head;
  append_head(head, response, date, ConnectionOption::none);
  EXPECT_EQ(head, "HTTP/1.1 200 OK\r\nDate: " + date + "\r\nContent-Length: 0\r\n\r\n");
}

TEST(Http1Session, answers_request_after_request_however_they_are_cut) {
  const auto requests = get("/ok") + get("/nowhere") + "\r\n" + request("HEAD /ok HTTP/1.1") +
                        get("/a%20b/x") + get("/ok", "Connection: close\r\n") + get("/ok");
  const auto answers = answer("200 OK", "ok\n") + answer("404 Not Found", "404 Not Found\n") +
                       "HTTP/1.1 200 OK\r\nContent-Type: text/plain; charset=utf-8\r\n"
                       "Content-Length: 3\r\n\r\n" +
                       answer("200 OK", "a b") + last_answer("200 OK", "ok\n");
  for (unsigned cut = 0; cut < 20; ++cut) {
    Site site;
    site.handle_ok();
    site.handle("/{name}/x", [](Exchange exchange) -> Task<> {
      co_await exchange.respond(Status::ok, exchange.request().parameter("name"));
    });
    auto client = site.connect();
    if (cut == 0) {
      client.send(requests);
    } else if (cut == 1) {
      client.send_bytewise(requests);
    } else {
      client.send_in_random_cuts(requests, cut);
    }
    EXPECT_EQ(client.receive(), answers) << "cut " << cut;
    EXPECT_TRUE(client.ended());
  }
}

TEST(Http1Session, answers_the_same_over_streams_that_split_and_stall) {
  std::string requests;
  std::string answers;
  for (int i = 0; i < 20; ++i) {
    requests += get("/ok") + get("/big");
    answers += answer("200 OK", "ok\n") + answer("200 OK", std::string(3000, 'b'));
  }
  for (unsigned seed = 1; seed <= 5; ++seed) {
    Site site;
    site.handle_ok();
    site.handle_big(3000);
    auto client = site.connect({.capacity = 5000,
                                .largest_transfer = 700,
                                .random_sizes = true,
                                .stall_one_in = 4,
                                .seed = seed});
    std::string received;
    for (std::size_t at = 0; at < requests.size(); at += 100) {
      client.send(std::string_view{requests}.substr(at, 100));
      received += client.receive_raw();
    }
    EXPECT_EQ(Client::without_dates(received), answers) << "seed " << seed;
    EXPECT_EQ(site.passed, 20);
  }
}

TEST(Http1Session, speaks_http_1_0) {
  Site site;
  site.handle_ok();
  auto closing = site.connect();
  EXPECT_EQ(closing.exchange("GET /ok HTTP/1.0\r\n\r\n" + get("/ok")),
            last_answer("200 OK", "ok\n"));
  EXPECT_TRUE(closing.ended());
  auto keeping = site.connect();
  EXPECT_EQ(keeping.exchange("GET /ok HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"),
            answer("200 OK", "ok\n", "Connection: keep-alive\r\n"));
  EXPECT_FALSE(keeping.ended());
}

TEST(Http1Session, knows_methods_and_paths) {
  Site site;
  site.handle_ok("GET /ok");
  site.handle_ok("POST /ok");
  auto client = site.connect();
  EXPECT_EQ(client.exchange(request("DELETE /ok HTTP/1.1")),
            "HTTP/1.1 405 Method Not Allowed\r\nContent-Type: text/plain; charset=utf-8\r\n"
            "Allow: GET, HEAD, POST\r\nContent-Length: 23\r\n\r\n405 Method Not Allowed\n");
  EXPECT_EQ(client.exchange(get("/other")), answer("404 Not Found", "404 Not Found\n"));
}

TEST(Http1Session, refuses_and_looks_at_nothing_behind_it) {
  Site site;
  site.handle_ok();
  auto client = site.connect();
  const auto refusal = "400 Bad Request: a line feed without a carriage return\n";
  EXPECT_EQ(client.exchange("GET /ok HTTP/1.1\nHost: localhost\n\n" + get("/ok")),
            last_answer("400 Bad Request", refusal));
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(client.exchange(get("/ok")), "");
}

TEST(Http1Session, says_why_it_refuses_what_follows_a_head_request) {
  Site site;
  site.handle_ok();
  EXPECT_NE(site.connect().exchange(request("HEAD /ok HTTP/1.1") + "\n").find("no HTTP request"),
            std::string::npos);
}

TEST(Http1Session, refuses_a_head_request_without_a_body) {
  Site site;
  const auto refused = site.connect().exchange("HEAD / HTTP/1.1\r\n\r\n");
  EXPECT_TRUE(refused.starts_with("HTTP/1.1 400 Bad Request\r\n")) << refused;
  EXPECT_TRUE(refused.ends_with("\r\n\r\n")) << refused;
}

TEST(Http1Session, refuses_a_bare_line_feed_that_ends_the_head_at_once) {
  Site site;
  auto client = site.connect();
  EXPECT_EQ(client.exchange("GET /ok HTTP/1.1\r\nHost: localhost\r\n\n").substr(0, 12),
            "HTTP/1.1 400");
}

TEST(Http1Session, refuses_heads_beyond_the_limits) {
  Site site{{.header_bytes = 200, .header_count = 3}};
  site.handle_ok();
  EXPECT_EQ(site.connect().exchange(get("/ok", "A: b\r\nA: b\r\n")), answer("200 OK", "ok\n"));
  EXPECT_EQ(site.connect().exchange(get("/ok", "A: b\r\nA: b\r\nA: b\r\n")).substr(0, 12),
            "HTTP/1.1 431");
  EXPECT_EQ(site.connect().exchange(get("/ok", "A: " + std::string(200, 'b'))).substr(0, 12),
            "HTTP/1.1 431");
  EXPECT_EQ(site.connect().exchange("GET /" + std::string(200, 'a')).substr(0, 12), "HTTP/1.1 414");
}

TEST(Http1Session, answers_to_its_own_names_only) {
  Site site{{.hosts = {"dev.example"}}};
  site.handle_ok();
  EXPECT_EQ(site.connect().exchange("GET /ok HTTP/1.1\r\nHost: dev.example:81\r\n\r\n"),
            answer("200 OK", "ok\n"));
  auto client = site.connect();
  EXPECT_EQ(client.exchange("GET /ok HTTP/1.1\r\nHost: evil.example\r\n\r\n").substr(0, 12),
            "HTTP/1.1 421");
  EXPECT_TRUE(client.ended());
}

TEST(Http1Session, answers_408_where_a_head_takes_too_long) {
  Site site;
  site.handle_ok();
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/ok") + "GET /o"), answer("200 OK", "ok\n"));
  for (int i = 0; i < 9; ++i) {
    site.loop.advance(1s);
    EXPECT_EQ(client.exchange("k"), "") << "a byte a second does not help";
  }
  site.loop.advance(999ms);
  EXPECT_EQ(client.receive(), "");
  site.loop.advance(1ms);
  EXPECT_EQ(client.receive(),
            last_answer("408 Request Timeout",
                        "408 Request Timeout: the request's head took too long\n"));
  EXPECT_TRUE(client.ended());
}

TEST(Http1Session, gives_every_request_its_own_time) {
  Site site;
  site.handle_ok();
  auto client = site.connect();
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(client.exchange("GET /ok HTTP/1.1\r\n"), "");
    site.loop.advance(9s);
    EXPECT_EQ(client.exchange("Host: localhost\r\n\r\n"), answer("200 OK", "ok\n"));
    site.loop.advance(59s);
  }
}

TEST(Http1Session, closes_when_it_has_been_idle_too_long) {
  Site site;
  site.handle_ok();
  auto fresh = site.connect();
  auto used = site.connect();
  site.loop.advance(30s);
  EXPECT_EQ(used.exchange(get("/ok")), answer("200 OK", "ok\n"));
  site.loop.advance(30s);
  EXPECT_TRUE(fresh.ended());
  EXPECT_FALSE(used.ended());
  site.loop.advance(30s);
  EXPECT_TRUE(used.ended());
  EXPECT_EQ(site.sessions(), 0u);
}

TEST(Http1Session, lingers_no_longer_than_two_seconds_and_a_mebibyte) {
  Site site;
  auto silent = site.connect();
  silent.exchange("\n");
  EXPECT_TRUE(silent.ended());
  site.loop.advance(1999ms);
  EXPECT_EQ(site.sessions(), 1u);
  site.loop.advance(1ms);
  EXPECT_EQ(site.sessions(), 0u);

  auto flooding = site.connect();
  flooding.exchange("\n");
  const std::string piece(64 * 1024, 'x');
  for (int i = 0; i < 16; ++i) EXPECT_TRUE(flooding.send(piece)) << i;
  EXPECT_EQ(site.sessions(), 1u);
  flooding.send(piece);
  EXPECT_EQ(site.sessions(), 0u);
}

TEST(Http1Session, parks_without_a_block) {
  Site site;
  site.handle_ok();
  site.handle_later();
  auto idle = site.connect();
  idle.exchange(get("/ok"));
  auto half = site.connect();
  half.exchange("GET /ok HT");
  auto busy = site.connect();
  busy.exchange(get("/later") + get("/ok"));
  EXPECT_EQ(site.loop->blocks().taken(), 0u);
  site.open_gate();
  EXPECT_EQ(busy.receive(), answer("200 OK", "/later") + answer("200 OK", "ok\n"));
}

TEST(Http1Session, makes_a_pipelined_request_wait_for_the_answer_before) {
  Site site;
  site.handle_ok();
  site.handle_later("/1");
  site.handle_later("/2");
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/1") + get("/ok") + get("/2") + get("/ok")), "");
  EXPECT_EQ(site.handlers(), 1u);
  site.open_gate();
  EXPECT_EQ(client.receive(), answer("200 OK", "/1") + answer("200 OK", "ok\n"));
  site.open_gate();
  EXPECT_EQ(client.receive(), answer("200 OK", "/2") + answer("200 OK", "ok\n"));
}

TEST(Http1Session, receives_a_block_at_most_while_a_handler_runs) {
  Site site;
  site.handle_ok();
  site.handle_later();
  auto client = site.connect({.capacity = 1000});
  client.send(get("/later"));
  std::string requests;
  for (int i = 0; i < 2000; ++i) requests += get("/ok");
  EXPECT_FALSE(client.send(requests)) << "TCP holds the client back";
  site.open_gate();
  EXPECT_EQ(client.receive().substr(0, 12), "HTTP/1.1 200");
}

TEST(Http1Session, answers_a_thousand_pipelined_requests_turn_by_turn) {
  Site site;
  int asked = 0;
  int asked_by_other = 0;
  site.handle("/count", [&](Exchange exchange) -> Task<> {
    ++asked;
    co_await exchange.respond(Status::ok, "");
  });
  site.handle("/other", [&](Exchange exchange) -> Task<> {
    asked_by_other = asked;
    co_await exchange.respond(Status::ok, "");
  });
  auto flood = site.connect();
  auto other = site.connect();
  std::string requests;
  for (int i = 0; i < 1000; ++i) requests += get("/count");
  // Both are readable when the loop looks.
  site.loop->post([&] { flood.send(requests); });
  site.loop->post([&] { other.send(get("/other")); });
  site.loop.settle();
  EXPECT_EQ(asked, 1000);
  EXPECT_LE(asked_by_other, 128);
}

TEST(Http1Session, holds_a_handler_back_whose_client_reads_nothing) {
  Site site;
  site.handle_big(200'000);
  site.handle_ok();
  auto client = site.connect({.capacity = 10'000});
  client.send(get("/big") + get("/ok"));
  EXPECT_EQ(site.passed, 0) << "respond waits";
  EXPECT_EQ(client.receive(),
            answer("200 OK", std::string(200'000, 'b')) + answer("200 OK", "ok\n"));
  EXPECT_EQ(site.passed, 1);
}

TEST(Http1Session, gives_up_a_client_that_takes_nothing) {
  for (const auto* fields : {"", "Connection: close\r\n"}) {
    Site site;
    site.handle_big(200'000);
    auto client = site.connect({.capacity = 10'000});
    client.send(get("/big", fields) + get("/big"));
    site.loop.advance(59s);
    EXPECT_EQ(client.receive_raw(1000).size(), 1000u);
    site.loop.advance(59s);
    EXPECT_EQ(site.sessions(), 1u);
    site.loop.advance(2s);
    EXPECT_EQ(site.sessions(), 0u);
    EXPECT_EQ(site.passed, 1) << "the handler that waited goes on";
  }
}

TEST(Http1Session, gives_a_handler_the_time_it_takes) {
  Site site;
  site.handle_later();
  auto client = site.connect();
  client.exchange("GET /later HTTP/1.1\r\n");
  client.exchange("Host: localhost\r\n\r\n");
  site.loop.advance(1h);
  site.open_gate();
  EXPECT_EQ(client.receive(), answer("200 OK", "/later"));
}

TEST(Http1Session, has_patience_with_a_client_that_is_slow) {
  for (const auto* fields : {"", "Connection: close\r\n"}) {
    Site site;
    site.handle_big(300'000);
    auto client = site.connect({.capacity = 10'000});
    client.send(get("/big", fields));
    std::size_t received = 0;
    while (received < 300'000) {
      const auto count = client.receive_raw(20'000).size();
      ASSERT_GT(count, 0u) << "after " << received;
      received += count;
      site.loop.advance(59s);
    }
    EXPECT_EQ(site.passed, 1);
  }
}

TEST(Http1Session, flushes_what_is_left_to_a_client_that_has_shut_down) {
  Site site;
  site.handle_big(30'000);
  auto client = site.connect({.capacity = 10'000});
  client.send(get("/big"));
  client.shut_down();
  EXPECT_GT(client.receive().size(), 30'000u);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(site.sessions(), 0u);
}

TEST(Http1Session, at_a_drain_closes_what_is_idle_and_lets_the_rest_be_answered) {
  Site site;
  site.handle_ok();
  site.handle_later();
  auto idle = site.connect();
  auto used = site.connect();
  used.exchange(get("/ok"));
  auto half = site.connect();
  half.exchange("GET /ok HTTP/1.1\r\n");
  auto busy = site.connect();
  busy.exchange(get("/later") + get("/ok"));
  site.drain();
  EXPECT_TRUE(idle.ended());
  EXPECT_TRUE(used.ended());
  EXPECT_EQ(half.exchange("Host: localhost\r\n\r\n"), last_answer("200 OK", "ok\n"));
  site.open_gate();
  EXPECT_EQ(busy.receive(), last_answer("200 OK", "/later"));
  for (auto* client : {&idle, &used, &half, &busy}) client->hang_up();
  EXPECT_EQ(site.loop->connections(), 0u);
}

TEST(Http1Session, a_head_that_has_begun_holds_a_drain_up_for_a_second) {
  Site site;
  auto half = site.connect();
  half.exchange("GET /ok HTTP/1.1\r\n");
  site.drain();
  site.loop.advance(900ms);
  EXPECT_EQ(half.receive(), "");
  site.loop.advance(100ms);
  EXPECT_EQ(half.receive(), last_answer("503 Service Unavailable",
                                        "503 Service Unavailable: the server is going away\n"));
  EXPECT_TRUE(half.ended());
}

TEST(Http1Session, answers_503_beyond_the_limit_of_connections) {
  Site site{{.max_connections = 2}};
  site.handle_ok();
  auto first = site.connect();
  auto second = site.connect();
  auto third = site.connect();
  EXPECT_EQ(third.receive(),
            "HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\n"
            "Content-Type: text/plain; charset=utf-8\r\nRetry-After: 10\r\n"
            "Content-Length: 24\r\n\r\n503 Service Unavailable\n");
  EXPECT_TRUE(third.ended());
  first.hang_up();
  auto fourth = site.connect();
  EXPECT_EQ(fourth.exchange(get("/ok")), answer("200 OK", "ok\n"));
}

}  // namespace
}  // namespace hotline::http::testing
