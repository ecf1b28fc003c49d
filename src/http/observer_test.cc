#include <hotline/http/observer.h>

#include "http/site_fixture.h"

namespace hotline::http::testing {
namespace {

using namespace std::chrono_literals;

const char* name_of(RequestEnd end) {
  switch (end) {
    case RequestEnd::answered: return "answered";
    case RequestEnd::refused: return "refused";
    case RequestEnd::cut: return "cut";
    case RequestEnd::upgraded: return "upgraded";
    case RequestEnd::hijacked: return "hijacked";
    case RequestEnd::abandoned: return "abandoned";
  }
  return "?";
}

// Each record as a line, to be taken by the test.
class Notes final : public ServerObserver {
 public:
  void request_ended(const RequestRecord& record) noexcept override {
    text_.append(name_of(record.end)).append(" ").append(std::to_string(record.status));
    if (record.request) {
      text_.append(" ").append(record.method).append(" ").append(record.target);
      text_.append(" ").append(std::to_string(record.version));
      EXPECT_EQ(record.method, record.request->method());
    } else {
      EXPECT_EQ(record.method, "");
      EXPECT_EQ(record.duration, Duration{});
    }
    text_.append(", ").append(std::to_string(record.response_bytes)).append(" bytes");
    if (record.request_bytes > 0) {
      text_.append(" for ").append(std::to_string(record.request_bytes));
    }
    if (record.duration > Duration{}) {
      text_.append(", ").append(std::to_string(record.duration / 1s)).append(" s");
    }
    if (!record.reason.empty()) text_.append(": ").append(record.reason);
    text_.append("\n");
  }
  std::string taken() { return std::exchange(text_, {}); }

 private:
  std::string text_;
};

class ServerObserved : public ::testing::Test {
 protected:
  std::shared_ptr<Notes> notes = std::make_shared<Notes>();
  Site site{{.observer = notes}};
};

TEST_F(ServerObserved, requests_are_told_when_they_are_answered) {
  site.handle_ok();
  site.handle_later();
  auto client = site.connect();
  client.exchange(get("/ok?a=b") + request("HEAD /ok HTTP/1.0", "Connection: keep-alive\r\n") +
                  request("POST /nowhere HTTP/1.1") + get("/later"));
  EXPECT_EQ(notes->taken(),
            "answered 200 GET /ok?a=b 11, 3 bytes\n"
            "answered 200 HEAD /ok 10, 0 bytes\n"
            "answered 404 POST /nowhere 11, 14 bytes\n");
  site.loop.advance(3s);
  site.open_gate();
  EXPECT_EQ(notes->taken(), "answered 200 GET /later 11, 6 bytes, 3 s\n");
  client.hang_up();
  EXPECT_EQ(notes->taken(), "") << "a connection that ends is no request";
}

TEST_F(ServerObserved, requests_are_told_when_they_are_refused) {
  site.handle_ok();
  site.connect().exchange("GET /\n");
  EXPECT_EQ(notes->taken(), "refused 400, 55 bytes: a line feed without a carriage return\n");
  site.connect().exchange(get("/ok", "Host: b\r\n"));
  EXPECT_EQ(notes->taken(), "refused 400, 34 bytes: Host is repeated\n");
  site.connect().exchange("GET /ok HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(notes->taken(),
            "refused 421 GET /ok 11, 69 bytes: this server does not go by the name in Host\n");
  auto slow = site.connect();
  slow.send("GET /o");
  site.loop.advance(10s);
  EXPECT_EQ(notes->taken(), "refused 408, 54 bytes: the request's head took too long\n");
}

TEST_F(ServerObserved, requests_are_told_when_nobody_waits_any_more) {
  site.handle_later();
  auto client = site.connect();
  client.send(get("/later"));
  site.loop.advance(1s);
  client.hang_up();
  EXPECT_EQ(notes->taken(), "abandoned 499 GET /later 11, 0 bytes, 1 s: the client did not wait\n");
}

TEST(ServerObserver, hears_of_requests_that_end_with_the_server) {
  auto notes = std::make_shared<Notes>();
  {
    Site site{{.observer = notes}};
    site.handle_later();
    auto client = site.connect();
    client.send(get("/later"));
  }
  EXPECT_EQ(notes->taken(), "abandoned 499 GET /later 11, 0 bytes: the server stopped\n");
}

TEST_F(ServerObserved, requests_are_told_when_their_connection_is_taken) {
  site.handle("/raw", [](Exchange exchange) -> Task<> {
    const auto stream = co_await exchange.hijack();
    (void)stream;
  });
  site.handle("/lines", [](Exchange exchange) -> Task<> {
    const auto headers = Response{Status::ok}.add("Upgrade", "lines");
    const auto stream = co_await exchange.switch_protocols(headers);
    (void)stream;
  });
  for (const auto* path : {"/raw", "/lines"}) {
    auto client = site.connect();
    client.exchange(get(path));
    client.hang_up();
  }
  EXPECT_EQ(notes->taken(),
            "hijacked 0 GET /raw 11, 0 bytes\nupgraded 101 GET /lines 11, 0 bytes\n");
}

TEST_F(ServerObserved, bodies_are_counted_both_ways) {
  site.handle("/echo", [](Exchange exchange) -> Task<> {
    const auto body = co_await exchange.body(10);
    co_await exchange.respond(Status::ok, body);
  });
  site.handle("/stream", [](Exchange exchange) -> Task<> {
    const bool whole = exchange.request().query().empty();
    const Response response{Status::ok};
    auto stream = exchange.start(response);
    const std::string_view some = "some";
    co_await stream.write(some);
    co_await stream.write(some);
    if (whole) co_await stream.end();
  });
  const auto post = [](std::string_view target, std::string_view body) {
    return request("POST " + std::string(target) + " HTTP/1.1", "Transfer-Encoding: chunked\r\n")
        .append(body);
  };
  const auto told = [&](const std::string& sent) {
    auto client = site.connect();
    client.exchange(sent);
    client.hang_up();
    return notes->taken();
  };
  EXPECT_EQ(told(post("/echo", "4\r\nbody\r\n1\r\n!\r\n0\r\n\r\n")),
            "answered 200 POST /echo 11, 5 bytes for 5\n");
  EXPECT_EQ(told(post("/echo", "4\r\nbody\r\n7\r\n")),
            "refused 413 POST /echo 11, 55 bytes for 4: the request's body is too large\n");
  EXPECT_EQ(
      told(post("/echo", "4\r\nbody\n")),
      "refused 400 POST /echo 11, 58 bytes for 4: a chunk does not end where its size says\n");
  EXPECT_EQ(told(post("/echo", "4\r\nbody\r\n")),
            "abandoned 499 POST /echo 11, 0 bytes for 4: the client did not wait\n");
  EXPECT_EQ(told(get("/stream")), "answered 200 GET /stream 11, 8 bytes\n");
  EXPECT_EQ(told(request("HEAD /stream HTTP/1.1")), "answered 200 HEAD /stream 11, 0 bytes\n");
  EXPECT_EQ(told(get("/stream?cut")), "cut 200 GET /stream?cut 11, 8 bytes\n");
}

TEST_F(ServerObserved, a_handler_that_fails_is_an_answer) {
  site.handle("/", [](Exchange) -> Task<> { throw std::runtime_error("bad luck"); });
  site.connect().exchange(get("/"));
  EXPECT_EQ(notes->taken(), "answered 500 GET / 11, 26 bytes\n");
}

}  // namespace
}  // namespace hotline::http::testing
