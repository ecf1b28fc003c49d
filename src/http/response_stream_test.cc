#include <stdexcept>

#include <hotline/base/error.h>
#include <hotline/net/task_group.h>

#include "http/site_fixture.h"

namespace hotline::http::testing {
namespace {

using namespace std::chrono_literals;

const std::string chunked_head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const auto http10 = [](std::string_view target, std::string_view fields = "") {
  return request("GET " + std::string(target) + " HTTP/1.0", fields);
};

/// A site that streams its answers.
class Streamed : public ::testing::Test {
 protected:
  Streamed() {
    site.handle_ok();
    // "one", then "two" when the gate is opened. ?5: announces so many bytes. ?no: never ends.
    site.handle("/stream", [this](Exchange exchange) -> Task<> {
      const std::string query{exchange.request().query()};
      Response response{Status::ok};
      if (!query.empty() && query != "no") response.content_length(std::stoul(query));
      auto stream = exchange.start(response);
      EXPECT_TRUE(exchange.answered());
      const std::string_view one = "one";
      const std::string_view two = "two";
      co_await stream.write(one);
      co_await site.gate.pass();
      co_await stream.write(two);
      if (query == "no") co_return;
      co_await stream.end();
      log += "ended ";
    });
    // So many bytes as the query says, as fast as they are taken.
    site.handle("/big", [this](Exchange exchange) -> Task<> {
      auto left = std::stoul(std::string(exchange.request().query()));
      const Response response{Status::ok};
      auto stream = exchange.start(response);
      const std::string piece(10'000, 'x');
      for (; left > 0; left -= std::min(left, piece.size())) {
        const auto bytes = std::string_view{piece}.substr(0, left);
        co_await stream.write(bytes);
        written += bytes.size();
      }
      co_await stream.end();
    });
  }

  Site site;
  std::string log;
  std::size_t written = 0;
};

TEST_F(Streamed, goes_out_in_chunks) {
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/stream") + get("/ok")), chunked_head + "3\r\none\r\n");
  site.open_gate();
  EXPECT_EQ(client.receive(), "3\r\ntwo\r\n0\r\n\r\n" + answer("200 OK", "ok\n"));
}

TEST_F(Streamed, goes_out_as_announced) {
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/stream?6") + get("/ok")),
            "HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\none");
  site.open_gate();
  EXPECT_EQ(client.receive(), "two" + answer("200 OK", "ok\n"));
}

TEST_F(Streamed, goes_to_http_1_0_until_the_connection_closes) {
  auto client = site.connect();
  EXPECT_EQ(client.exchange(http10("/stream", "Connection: keep-alive\r\n")),
            "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\none");
  site.open_gate();
  EXPECT_EQ(client.receive(), "two");
  EXPECT_TRUE(client.ended());
  auto announced = site.connect();
  announced.send(http10("/stream?6", "Connection: keep-alive\r\n"));
  site.open_gate();
  EXPECT_EQ(announced.receive(),
            "HTTP/1.1 200 OK\r\nConnection: keep-alive\r\nContent-Length: 6\r\n\r\nonetwo");
  EXPECT_FALSE(announced.ended());
}

TEST_F(Streamed, sends_the_head_alone_to_head) {
  for (const auto* target : {"/stream", "/stream?6", "/stream?9"}) {
    auto client = site.connect();
    client.send(request("HEAD " + std::string(target) + " HTTP/1.1") + get("/ok"));
    site.open_gate();
    const auto received = client.receive();
    const auto head = received.substr(0, received.find("\r\n\r\n") + 4);
    EXPECT_TRUE(head.find("chunked") != head.find("Content-Length")) << head;
    EXPECT_EQ(received, head + answer("200 OK", "ok\n"));
  }
}

TEST_F(Streamed, never_ended_cuts_the_connection) {
  auto client = site.connect();
  client.send(get("/stream?no") + get("/ok"));
  site.open_gate();
  EXPECT_EQ(client.receive(), chunked_head + "3\r\none\r\n3\r\ntwo\r\n");
  EXPECT_TRUE(client.ended());
  client.hang_up();
  auto old = site.connect();
  old.send(http10("/stream?no"));
  site.open_gate();
  EXPECT_EQ(old.receive(), "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\nonetwo");
  EXPECT_EQ(site.sessions(), 0u) << "at once: by a reset, where the stream has a socket";
}

TEST_F(Streamed, by_a_handler_that_fails_cuts_the_connection) {
  site.handle("/fail", [](Exchange exchange) -> Task<> {
    const Response response{Status::ok};
    auto stream = exchange.start(response);
    const std::string_view some = "some";
    co_await stream.write(some);
    throw std::runtime_error("bad luck");
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/fail") + get("/ok")), chunked_head + "4\r\nsome\r\n");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(site.loop.log().errors, 1);
}

TEST_F(Streamed, with_fewer_bytes_than_announced_is_an_error_and_cuts_the_connection) {
  auto client = site.connect();
  client.send(get("/stream?7") + get("/ok"));
  site.open_gate();
  EXPECT_EQ(client.receive(), "HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nonetwo");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(log, "");
  EXPECT_EQ(site.loop.log().lines.back(),
            "the handler of /stream failed: less was written than the answer's head announced: "
            "the body has not the length that was announced");
}

TEST_F(Streamed, with_more_bytes_than_announced_is_an_error_and_cuts_the_connection) {
  auto client = site.connect();
  client.send(get("/stream?5") + get("/ok"));
  site.open_gate();
  EXPECT_EQ(client.receive(), "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\none");
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(site.loop.log().errors, 1);
}

TEST_F(Streamed, with_a_status_without_a_body_takes_none) {
  site.handle("/204", [this](Exchange exchange) -> Task<> {
    const Response response{Status::no_content};
    auto stream = exchange.start(response);
    const std::string_view some = "some";
    try {
      co_await stream.write(some);
    } catch (const Error& error) {
      if (error.code() == Fault::wrong_length) log += "refused";
    }
    co_await stream.end();
  });
  EXPECT_EQ(site.connect().exchange(get("/204") + get("/ok")),
            "HTTP/1.1 204 No Content\r\n\r\n" + answer("200 OK", "ok\n"));
  EXPECT_EQ(log, "refused");
}

TEST_F(Streamed, waits_for_a_client_that_is_slow) {
  auto client = site.connect({.capacity = 10'000});
  client.send(get("/big?1000000"));
  EXPECT_LT(written, 200'000u);
  const auto received = client.receive();
  EXPECT_EQ(written, 1'000'000u);
  EXPECT_EQ(std::count(received.begin(), received.end(), 'x'), 1'000'000);
  EXPECT_TRUE(received.ends_with("\r\n0\r\n\r\n"));
}

TEST_F(Streamed, lets_others_have_their_turn_where_its_client_takes_all) {
  std::size_t most_at_once = 0;
  std::size_t before = 0;
  std::function<void()> look = [&] {
    most_at_once = std::max(most_at_once, written - std::exchange(before, written));
    if (written < 1'000'000) site.loop->post(look);
  };
  auto client = site.connect({.capacity = 16 << 20});
  site.loop->post(look);
  client.send(get("/big?1000000"));
  const auto received = client.receive();
  EXPECT_EQ(written, 1'000'000u);
  EXPECT_LE(most_at_once, 140'000u);
  EXPECT_EQ(std::count(received.begin(), received.end(), 'x'), 1'000'000);
  EXPECT_TRUE(received.ends_with("\r\n0\r\n\r\n"));
}

TEST_F(Streamed, that_rests_may_be_dropped) {
  site.handle("/dropped", [this](Exchange exchange) -> Task<> {
    const Response response{Status::ok};
    auto stream = exchange.start(response);
    const std::string piece(1'000'000, 'x');
    {
      const auto dropped = stream.write(piece);
    }
    co_await stream.end();
    log += "ended ";
  });
  auto client = site.connect({.capacity = 16 << 20});
  const auto received = client.exchange(get("/dropped"));
  EXPECT_EQ(log, "ended ");
  EXPECT_EQ(std::count(received.begin(), received.end(), 'x'), 1'000'000);
  EXPECT_TRUE(received.ends_with("\r\n0\r\n\r\n"));
}

TEST_F(Streamed, gives_up_a_client_that_takes_nothing) {
  auto client = site.connect({.capacity = 10'000});
  client.send(get("/big?1000000"));
  site.loop.advance(59s);
  EXPECT_EQ(client.receive_raw(1000).size(), 1000u);
  site.loop.advance(59s);
  EXPECT_EQ(site.handlers(), 1u);
  site.loop.advance(2s);
  EXPECT_EQ(site.handlers(), 0u);
  EXPECT_EQ(site.sessions(), 0u);
}

TEST_F(Streamed, may_take_its_time_between_its_pieces) {
  auto client = site.connect();
  client.send(get("/stream"));
  site.loop.advance(1h);
  site.open_gate();
  EXPECT_TRUE(client.receive().ends_with("0\r\n\r\n"));
}

TEST_F(Streamed, goes_on_to_a_client_that_has_shut_down_and_takes_it) {
  auto client = site.connect({.capacity = 10'000});
  client.send(get("/big?1000000"));
  client.shut_down();
  EXPECT_TRUE(client.receive().ends_with("\r\n0\r\n\r\n"));
  EXPECT_EQ(written, 1'000'000u);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(site.sessions(), 0u);
}

TEST_F(Streamed, cancels_its_handler_when_the_client_is_gone) {
  auto client = site.connect({.capacity = 10'000});
  client.send(get("/big?1000000"));
  client.hang_up();
  EXPECT_EQ(site.handlers(), 0u);
  auto idle = site.connect();
  idle.send(get("/stream"));
  idle.shut_down();
  EXPECT_EQ(site.handlers(), 0u);
  EXPECT_EQ(site.loop.log().errors, 0);
}

TEST_F(Streamed, tells_a_handler_that_never_waits_that_its_client_is_gone) {
  int pieces = 0;
  site.handle("/endless", [&](Exchange exchange) -> Task<> {
    const Response response{Status::ok};
    auto stream = exchange.start(response);
    const std::string piece(10'000, 'x');
    for (; pieces < 100; ++pieces) co_await stream.write(piece);
  });
  // A request, its reading, a piece; the next cannot be written.
  auto client = site.connect({.capacity = 10'000'000, .fail_at = 4});
  client.send(get("/endless"));
  EXPECT_LT(pieces, 5);
  EXPECT_EQ(site.handlers(), 0u);
  EXPECT_EQ(site.sessions(), 0u);
  EXPECT_EQ(site.loop.log().errors, 0);
}

TEST_F(Streamed, is_given_up_where_its_client_has_shut_down_and_nothing_more_goes_out) {
  site.handle("/events", [this](Exchange exchange) -> Task<> {
    const Response response{Status::ok};
    auto stream = exchange.start(response);
    const std::string first(50'000, 'x');
    co_await stream.write(first);
    co_await site.gate.pass();
    const std::string_view second = "second";
    co_await stream.write(second);
    co_await site.gate.pass();
  });
  auto client = site.connect({.capacity = 10'000});
  client.send(get("/events"));
  client.shut_down();
  EXPECT_EQ(client.receive().size(), 50'000u + chunked_head.size() + 8);
  site.loop.advance(59s);
  site.open_gate();
  EXPECT_EQ(client.receive(), "6\r\nsecond\r\n");
  site.loop.advance(59s);
  EXPECT_EQ(site.handlers(), 1u);
  site.loop.advance(1s);
  EXPECT_EQ(site.handlers(), 0u);
  EXPECT_EQ(site.sessions(), 0u);
}

TEST_F(Streamed, when_cut_wakes_who_reads_the_body) {
  for (const auto* length : {"", "5"}) {
    site.handle("/both" + std::string(length), [this, length](Exchange exchange) -> Task<> {
      TaskGroup group;
      const auto read = [](Exchange& of, std::string& text) -> Task<> {
        try {
          (void)co_await of.body();
        } catch (const Error& error) {
          text += error.code().message() + ' ';
        }
      };
      group.spawn(read(exchange, log));
      Response response{Status::ok};
      if (*length) response.content_length(5);
      {
        auto stream = exchange.start(response);
        if (*length) {
          try {
            co_await stream.end();
          } catch (const Error& error) {
            log += error.code().message() + ' ';
          }
        }
      }
      co_await group.join();
    });
    auto client = site.connect();
    client.send(request("POST /both" + std::string(length) + " HTTP/1.1", "Content-Length: 4\r\n"));
    site.loop.advance(1ms);
    EXPECT_EQ(site.handlers(), 0u) << length;
  }
  const std::string answered = "the request has been answered already ";
  EXPECT_EQ(log, answered + answered + "the body has not the length that was announced ");
}

TEST_F(Streamed, may_outlive_the_exchange_and_be_given_away) {
  std::optional<ResponseStream> kept;
  site.handle("/keep", [&](Exchange exchange) -> Task<> {
    const Response response{Status::ok};
    kept.emplace(exchange.start(response));
    co_return;
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/keep") + get("/ok")), chunked_head);
  EXPECT_EQ(site.handlers(), 0u);
  const std::string_view late = "late";
  (void)kept->write(late);
  EXPECT_EQ(client.receive(), "4\r\nlate\r\n");
  (void)kept->end();
  EXPECT_EQ(client.receive(), "0\r\n\r\n" + answer("200 OK", "ok\n"));
  EXPECT_THROW((void)kept->write(late), Error);
  client.exchange(get("/keep"));
  client.hang_up();
  EXPECT_EQ(site.sessions(), 0u);
  EXPECT_THROW((void)kept->write(late), Error);
  kept.reset();
}

TEST_F(Streamed, answers_while_the_body_still_comes) {
  site.handle("/echo", [](Exchange exchange) -> Task<> {
    auto body = exchange.body_stream(1 << 20);
    const Response response{Status::ok};
    auto stream = exchange.start(response);
    while (auto piece = co_await body.read()) {
      const auto bytes = *piece;
      co_await stream.write(bytes);
    }
    co_await stream.end();
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(request("POST /echo HTTP/1.1", "Content-Length: 6\r\n")), chunked_head);
  EXPECT_EQ(client.exchange("one"), "3\r\none\r\n");
  EXPECT_EQ(client.exchange("two" + get("/ok")),
            "3\r\ntwo\r\n0\r\n\r\n" + answer("200 OK", "ok\n"));
  client.send(request("POST /echo HTTP/1.1", "Content-Length: 6\r\n") + "one");
  client.shut_down();
  EXPECT_EQ(client.receive(), chunked_head + "3\r\none\r\n");
  EXPECT_EQ(site.sessions(), 0u);
  EXPECT_EQ(site.loop.log().errors, 0) << "that is no failure of the handler";
}

TEST_F(Streamed, drops_a_body_that_nobody_read) {
  auto client = site.connect();
  client.send(request("POST /stream HTTP/1.1", "Content-Length: 4\r\n") + "body" + get("/ok"));
  site.open_gate();
  EXPECT_TRUE(client.receive().ends_with("0\r\n\r\n" + answer("200 OK", "ok\n")));
  auto large = site.connect();
  large.send(request("POST /stream HTTP/1.1", "Content-Length: 100000\r\n"));
  site.open_gate();
  EXPECT_TRUE(large.receive().ends_with("0\r\n\r\n"));
  EXPECT_TRUE(large.ended());
}

TEST_F(Streamed, is_the_last_answer_in_a_drain) {
  auto client = site.connect();
  client.exchange(get("/stream"));
  site.drain();
  site.open_gate();
  EXPECT_EQ(client.receive(), "3\r\ntwo\r\n0\r\n\r\n");
  EXPECT_TRUE(client.ended());
}

TEST_F(Streamed, ends_with_the_server) {
  auto client = site.connect({.capacity = 10'000});
  client.send(get("/big?1000000"));
  auto other = site.connect();
  other.send(get("/stream"));
}  // TestLoop looks for what is left

TEST_F(Streamed, has_no_body_of_its_own_and_a_status_of_an_answer) {
  site.handle("/bad", [this](Exchange exchange) -> Task<> {
    for (const auto& response : {Response{Status::ok, "body"}, Response{Status{100}}}) {
      try {
        (void)exchange.start(response);
      } catch (const Error& error) {
        if (error.code() == Fault::bad_option) log += "bad ";
      }
    }
    co_await exchange.respond(Status::ok, "");
    try {
      const Response response{Status::ok};
      (void)exchange.start(response);
    } catch (const Error& error) {
      if (error.code() == Fault::already_answered) log += "answered";
    }
  });
  EXPECT_EQ(site.connect().exchange(get("/bad")), answer("200 OK", ""));
  EXPECT_EQ(log, "bad bad answered");
}

TEST(Response, of_an_announced_length_is_for_head) {
  Site site;
  int errors = 0;
  site.handle("/", [&](Exchange exchange) -> Task<> {
    const auto response = Response{Status::ok}.content_length(1234);
    try {
      co_await exchange.respond(response);
    } catch (const Error& error) {
      if (error.code() == Fault::bad_option) ++errors;
    }
    if (!exchange.answered()) co_await exchange.respond(Status::ok, "");
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(request("HEAD / HTTP/1.1")),
            "HTTP/1.1 200 OK\r\nContent-Length: 1234\r\n\r\n");
  EXPECT_EQ(errors, 0);
  EXPECT_EQ(client.exchange(get("/")), answer("200 OK", ""));
  EXPECT_EQ(errors, 1);
}

TEST(AddHeader, goes_with_whatever_answer_comes) {
  Site site;
  const auto add = [](Exchange& exchange) { exchange.add_header("X-Id", "7"); };
  site.handle("/ok", [&](Exchange exchange) -> Task<> {
    add(exchange);
    co_await exchange.respond(Status::ok, "ok\n");
    try {
      add(exchange);
      ADD_FAILURE();
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Fault::already_answered);
    }
  });
  site.handle("/fail", [&](Exchange exchange) -> Task<> {
    add(exchange);
    throw std::runtime_error("bad luck");
    co_return;
  });
  site.handle("/body", [&](Exchange exchange) -> Task<> {
    add(exchange);
    (void)co_await exchange.body(1);
  });
  site.handle("/stream", [&](Exchange exchange) -> Task<> {
    add(exchange);
    const Response response{Status::ok};
    auto stream = exchange.start(response);
    co_await stream.end();
  });
  site.handle("/lines", [&](Exchange exchange) -> Task<> {
    add(exchange);
    const auto headers = Response{Status::ok}.add("Upgrade", "lines");
    (void)co_await exchange.switch_protocols(headers);
  });
  for (const auto* target : {"/ok", "/fail", "/body", "/stream", "/lines"}) {
    auto client = site.connect();
    const auto received = client.exchange(
        std::string(target) == "/body" ? get(target, "Content-Length: 2\r\n") : get(target));
    const auto at = received.find("\r\nX-Id: 7\r\n");
    EXPECT_LT(at, received.find("\r\n\r\n")) << received;
    EXPECT_EQ(received.find("X-Id", at + 4), std::string::npos) << received;
    client.hang_up();
  }
  site.handle("/bad", [&](Exchange exchange) -> Task<> {
    for (const auto& [name, value] :
         {std::pair{"a b", "c"}, {"a", "b\r\nc"}, {"Connection", "close"}}) {
      EXPECT_THROW(exchange.add_header(name, value), Error);
    }
    co_await exchange.respond(Status::ok, "");
  });
  EXPECT_EQ(site.connect().exchange(get("/bad")), answer("200 OK", ""));
}

}  // namespace
}  // namespace hotline::http::testing
