#include <stdexcept>

#include <hotline/base/error.h>
#include <hotline/net/task_group.h>

#include "http/site_fixture.h"

namespace hotline::http::testing {
namespace {

using namespace std::chrono_literals;

std::string post(std::string_view fields, std::string_view body = "",
                 std::string_view target = "/echo") {
  return request("POST " + std::string(target) + " HTTP/1.1", fields).append(body);
}
std::string sized(std::string_view body) {
  return post("Content-Length: " + std::to_string(body.size()) + "\r\n", body);
}
std::string in_chunks(std::string_view body, std::size_t size) {
  std::string text;
  for (; !body.empty(); body.remove_prefix(std::min(size, body.size()))) {
    const auto chunk = body.substr(0, size);
    text += std::string(ChunkHead{chunk.size()}.text()).append(chunk).append("\r\n");
  }
  return text += "0\r\n\r\n";
}
const std::string chunked = "Transfer-Encoding: chunked\r\n";
const std::string waiting = "Expect: 100-continue\r\n";
const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";

std::string refused(std::string_view status, std::string_view reason) {
  return last_answer(status, std::string(status).append(": ").append(reason).append("\n"));
}
const auto too_large = refused("413 Content Too Large", "the request's body is too large");
const auto too_slow = refused("408 Request Timeout", "the request's body came too slowly");

/// A site with handlers that read, and what they note down.
class Body : public ::testing::Test {
 protected:
  Body() {
    site.handle_ok();
    // The whole body is the answer.
    site.handle("/echo", [](Exchange exchange) -> Task<> {
      const auto body = co_await exchange.body();
      co_await exchange.respond(Status::ok, body);
    });
    // Ten bytes at most.
    site.handle("/ten", [](Exchange exchange) -> Task<> {
      const auto body = co_await exchange.body(10);
      co_await exchange.respond(Status::ok, body);
    });
    // A piece each time the gate is opened.
    site.handle("/pieces", [this](Exchange exchange) -> Task<> {
      auto body = exchange.body_stream(1 << 30);
      co_await site.gate.pass();
      try {
        while (auto piece = co_await body.read()) {
          log += "[" + std::string(*piece) + "]";
          co_await site.gate.pass();
          log += piece->substr(0, 1);
        }
        log += "end";
      } catch (const Error& error) {
        log += error.code().message();
        throw;
      }
      co_await exchange.respond(Status::ok, "read");
    });
  }

  Site site{{.body_limit = 1 << 20, .body_timeout = 10s, .body_rate = 100}};
  std::string log;
};

TEST_F(Body, comes_to_the_handler_however_it_is_cut) {
  const auto requests =
      sized("one") + post(chunked, in_chunks("two", 2)) + get("/ok") + sized("") +
      request("POST /echo HTTP/1.0", "Connection: keep-alive\r\nContent-Length: 4\r\n") + "four" +
      post(chunked + waiting, in_chunks("five", 100)) + get("/echo", "Connection: close\r\n") +
      get("/ok");
  const auto answers = answer("200 OK", "one") + answer("200 OK", "two") +
                       answer("200 OK", "ok\n") + answer("200 OK", "") +
                       answer("200 OK", "four", "Connection: keep-alive\r\n") +
                       answer("200 OK", "five") + last_answer("200 OK", "");
  for (unsigned cut = 0; cut < 30; ++cut) {
    auto client = site.connect();
    if (cut == 0) {
      client.send(requests);
    } else if (cut == 1) {
      client.send_bytewise(requests);
    } else {
      client.send_in_random_cuts(requests, cut);
    }
    auto received = client.receive();
    // Where the head comes before its body, the client is told to go on.
    if (const auto at = received.find(go_on); at != std::string::npos) {
      received.erase(at, go_on.size());
    }
    EXPECT_EQ(received, answers) << "cut " << cut;
    EXPECT_TRUE(client.ended());
  }
  EXPECT_EQ(site.loop->blocks().taken(), 0u);
}

TEST_F(Body, comes_over_streams_that_split_and_stall) {
  const std::string large(300'000, 'x');
  for (unsigned seed = 1; seed <= 5; ++seed) {
    auto client = site.connect({.capacity = 5000,
                                .largest_transfer = 3000,
                                .random_sizes = true,
                                .stall_one_in = 4,
                                .seed = seed});
    EXPECT_TRUE(client.send(sized(large)));
    EXPECT_EQ(client.receive(), answer("200 OK", large));
    EXPECT_TRUE(client.send(post(chunked, in_chunks(large, 700))));
    EXPECT_EQ(client.receive(), answer("200 OK", large));
  }
}

TEST_F(Body, is_received_only_as_it_is_read) {
  auto client = site.connect({.capacity = 1000});
  const std::string large(100'000, 'x');
  client.send(request("POST /pieces HTTP/1.1", "Content-Length: 100000\r\n"));
  EXPECT_FALSE(client.send(large)) << "TCP holds the client back";
  site.open_gate();
  EXPECT_FALSE(client.send(large)) << "a piece is in the handler's hands";
  EXPECT_LT(log.size(), 3000u);
  EXPECT_EQ(site.loop->blocks().taken(), 1u);
}

TEST_F(Body, lies_in_the_block_while_the_handler_has_it) {
  auto client = site.connect();
  client.send(request("POST /pieces HTTP/1.1", "Content-Length: 6\r\n"));
  EXPECT_EQ(site.loop->blocks().taken(), 0u);
  client.send("abc");
  site.open_gate();
  EXPECT_EQ(log, "[abc]");
  client.send("def" + get("/ok"));
  site.open_gate();
  EXPECT_EQ(log, "[abc]a[def]") << "the piece was still there when the next had come";
  EXPECT_EQ(client.receive(), "");
  site.open_gate();
  EXPECT_EQ(log, "[abc]a[def]dend");
  EXPECT_EQ(client.receive(), answer("200 OK", "read") + answer("200 OK", "ok\n"));
  EXPECT_EQ(site.loop->blocks().taken(), 0u);
}

TEST_F(Body, is_asked_for_when_the_handler_wants_it) {
  auto client = site.connect();
  const auto head = request("POST /pieces HTTP/1.1", waiting + "Content-Length: 4\r\n");
  EXPECT_EQ(client.exchange(head), "");
  site.open_gate();
  EXPECT_EQ(client.receive(), go_on);
  client.send("bo");
  site.open_gate();
  EXPECT_EQ(client.exchange("dy"), "") << "once";
  site.open_gate();
  EXPECT_EQ(client.receive(), answer("200 OK", "read"));
}

TEST_F(Body, is_not_asked_for_where_it_is_there_or_too_large) {
  EXPECT_EQ(site.connect().exchange(post(waiting + "Content-Length: 4\r\n", "body")),
            answer("200 OK", "body"));
  EXPECT_EQ(site.connect().exchange(post(waiting + "Content-Length: 11\r\n", "", "/ten")),
            too_large);
  EXPECT_EQ(
      site.connect().exchange(request("POST /echo HTTP/1.0",
                                      waiting + "Connection: keep-alive\r\nContent-Length: 4\r\n")),
      "")
      << "HTTP/1.0 does not know of it";
}

TEST_F(Body, is_not_asked_for_where_it_has_begun_to_come) {
  auto client = site.connect();
  EXPECT_EQ(client.exchange(post(waiting + "Content-Length: 4\r\n", "bo")), "");
  EXPECT_EQ(client.exchange("dy"), answer("200 OK", "body"));
}

TEST_F(Body, that_nobody_asked_for_ends_the_connection_unless_it_is_there) {
  const auto head = request("POST /ok HTTP/1.1", waiting + "Content-Length: 4\r\n");
  auto silent = site.connect();
  EXPECT_EQ(silent.exchange(head), last_answer("200 OK", "ok\n"));
  EXPECT_TRUE(silent.ended());
  EXPECT_EQ(silent.exchange("body" + get("/ok")), "");
  EXPECT_EQ(site.connect().exchange(head + "body" + get("/ok")),
            answer("200 OK", "ok\n") + answer("200 OK", "ok\n"));
}

TEST_F(Body, that_nobody_reads_is_dropped_before_the_next_request) {
  const auto next = get("/ok", "Connection: close\r\n");
  const std::string most(64 * 1024, 'x');
  const auto framed = in_chunks(most.substr(0, 60'000), 1000);
  const auto length = [](std::size_t size) {
    return "Content-Length: " + std::to_string(size) + "\r\n";
  };
  const auto answers = answer("200 OK", "ok\n") + last_answer("200 OK", "ok\n");
  for (const auto& requests :
       {post(length(3), "abc", "/ok") + next, post(length(most.size()), most, "/ok") + next,
        post(chunked, framed, "/ok") + next}) {
    EXPECT_EQ(site.connect().exchange(requests), answers);
    auto client = site.connect();
    client.send_in_random_cuts(requests, 1);
    EXPECT_EQ(client.receive(), answers);
  }
  auto client = site.connect();
  EXPECT_EQ(client.exchange(post(length(most.size() + 1), most, "/ok")),
            last_answer("200 OK", "ok\n"));
  EXPECT_TRUE(client.ended());
  client.send("x" + next);
  EXPECT_EQ(client.receive(), "");
}

TEST_F(Body, that_nobody_reads_and_has_no_end_ends_the_connection) {
  const auto framed = in_chunks(std::string(70'000, 'x'), 1000) + get("/ok");
  auto client = site.connect();
  EXPECT_EQ(client.exchange(post(chunked, framed, "/ok")), answer("200 OK", "ok\n"));
  EXPECT_TRUE(client.ended());
  auto bad = site.connect();
  EXPECT_EQ(bad.exchange(post(chunked, "x\r\n" + get("/ok"), "/ok")), answer("200 OK", "ok\n"));
  EXPECT_TRUE(bad.ended());
}

TEST_F(Body, that_nobody_reads_has_a_time_to_come) {
  auto slow = site.connect();
  EXPECT_EQ(slow.exchange(post("Content-Length: 99\r\n", "x", "/ok")), answer("200 OK", "ok\n"));
  for (int i = 0; i < 10; ++i) {
    EXPECT_FALSE(slow.ended());
    slow.send("x");
    site.loop.advance(1s);
  }
  EXPECT_TRUE(slow.ended());
}

TEST_F(Body, beyond_the_limit_is_refused_and_nothing_behind_it_is_parsed) {
  const std::string ten = "0123456789";
  EXPECT_EQ(site.connect().exchange(post("Content-Length: 10\r\n", ten, "/ten")),
            answer("200 OK", ten));
  EXPECT_EQ(site.connect().exchange(post(chunked, in_chunks(ten, 3), "/ten")),
            answer("200 OK", ten));
  for (const auto& requests : {post("Content-Length: 11\r\n", ten + "a" + get("/ok"), "/ten"),
                               post("Content-Length: 11\r\n", "", "/ten"),
                               post(chunked, in_chunks(ten + "a", 3) + get("/ok"), "/ten"),
                               post(chunked, "b\r\n", "/ten")}) {
    for (unsigned cut = 0; cut < 5; ++cut) {
      auto client = site.connect();
      if (cut == 0) {
        client.send(requests);
      } else {
        client.send_in_random_cuts(requests, cut);
      }
      EXPECT_EQ(client.receive(), too_large);
      EXPECT_TRUE(client.ended());
    }
  }
  EXPECT_EQ(site.loop.log().errors, 0) << "no failure of the handler";
  EXPECT_EQ(site.loop.log().lines.back(),
            "refused a request from -: 413, the request's body is too large");
}

TEST_F(Body, has_the_servers_limit_where_the_handler_has_none) {
  EXPECT_EQ(site.connect().exchange(post("Content-Length: 1048577\r\n")), too_large);
  EXPECT_EQ(site.connect().exchange(post("Content-Length: 999999999999999999\r\n")), too_large);
  EXPECT_EQ(site.connect().exchange(post(chunked, "7fffffffffffffff\r\n")), too_large);
}

TEST_F(Body, in_malformed_chunks_is_refused_and_nothing_behind_it_is_parsed) {
  const auto requests = post(chunked, "3\r\nabc\r\n-1\r\n" + get("/ok"));
  for (unsigned cut = 0; cut < 5; ++cut) {
    auto client = site.connect();
    if (cut == 0) {
      client.send(requests);
    } else if (cut == 1) {
      client.send_bytewise(requests);
    } else {
      client.send_in_random_cuts(requests, cut);
    }
    EXPECT_EQ(client.receive(),
              refused("400 Bad Request", "the size of a chunk is not a hexadecimal number"));
    EXPECT_TRUE(client.ended());
  }
  EXPECT_EQ(site.loop.log().errors, 0);
}

TEST_F(Body, with_too_many_trailers_is_refused) {
  EXPECT_EQ(
      site.connect().exchange(post(chunked, "0\r\nX: " + std::string(20'000, 'x'))).substr(9, 3),
      "431");
}

TEST_F(Body, that_cannot_be_had_says_so_each_time_and_may_be_answered) {
  site.handle("/own", [this](Exchange exchange) -> Task<> {
    auto body = exchange.body_stream(10);
    for (int i = 0; i < 2; ++i) {
      try {
        while (auto piece = co_await body.read()) {
        }
      } catch (const Error& error) {
        EXPECT_TRUE(error.is(Condition::limit_exceeded));
        log += error.what();
        log += "\n";
      }
    }
    co_await exchange.respond(Status::unprocessable_content, "sorry");
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(post("Content-Length: 11\r\n", "01234567890" + get("/ok"), "/own")),
            last_answer("422 Unprocessable Content", "sorry"));
  EXPECT_TRUE(client.ended());
  const std::string line = "the request's body is too large: the body exceeds the limit\n";
  EXPECT_EQ(log, line + line);
}

TEST_F(Body, does_not_excuse_another_failure) {
  site.handle("/fail", [](Exchange exchange) -> Task<> {
    try {
      (void)co_await exchange.body(1);
    } catch (const Error&) {
      throw std::runtime_error("bad luck");
    }
  });
  EXPECT_EQ(site.connect().exchange(post("Content-Length: 3\r\n", "abc", "/fail")), too_large);
  EXPECT_EQ(site.loop.log().errors, 1);
}

TEST_F(Body, that_has_failed_is_not_received_for_ever_while_its_handler_goes_on) {
  site.handle("/patient", [this](Exchange exchange) -> Task<> {
    try {
      (void)co_await exchange.body(1);
    } catch (const Error&) {
      log += "failed";
    }
    co_await site.gate.pass();
  });
  auto client = site.connect({.capacity = 64 * 1024});
  client.send(post("Content-Length: 100000000\r\n", "abc", "/patient"));
  EXPECT_EQ(log, "failed");
  EXPECT_TRUE(client.send(std::string(1'000'000, 'x')));
  EXPECT_FALSE(client.send(std::string(200'000, 'x'))) << "a mebibyte, and what the stream holds";
  EXPECT_EQ(site.handlers(), 1u);
}

TEST_F(Body, that_stops_coming_is_given_up) {
  auto client = site.connect();
  client.send(post("Content-Length: 4\r\n", "bo"));
  site.loop.advance(9'999ms);
  EXPECT_EQ(client.receive(), "");
  site.loop.advance(1ms);
  EXPECT_EQ(client.receive(), too_slow);
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(site.loop.log().errors, 0);
}

TEST_F(Body, that_comes_too_slowly_is_given_up) {
  auto client = site.connect();
  client.send(post("Content-Length: 5000\r\n"));
  std::string received;
  int seconds = 0;
  for (; received.empty() && seconds < 100; ++seconds) {
    client.send(std::string(50, 'x'));
    site.loop.advance(1s);
    received = client.receive();
  }
  EXPECT_EQ(received, too_slow);
  EXPECT_EQ(seconds, 19) << "10 s, and 9 more for 900 bytes";
}

TEST_F(Body, that_comes_as_fast_as_it_must_may_take_its_time) {
  auto client = site.connect();
  client.send(post("Content-Length: 10000\r\n"));
  for (int i = 0; i < 10'000; i += 100) {
    client.send(std::string(100, 'x'));
    site.loop.advance(1s);
  }
  EXPECT_EQ(client.receive(), answer("200 OK", std::string(10'000, 'x')));
}

TEST_F(Body, costs_no_time_while_nobody_waits_for_it) {
  auto client = site.connect();
  client.send(request("POST /pieces HTTP/1.1", "Content-Length: 4\r\n"));
  site.loop.advance(1h);
  site.open_gate();
  site.loop.advance(5s);
  client.send("bo");
  site.loop.advance(1h);
  site.open_gate();
  site.loop.advance(4s);
  client.send("dy");
  site.open_gate();
  EXPECT_EQ(client.receive(), answer("200 OK", "read"));
}

TEST_F(Body, that_its_client_does_not_end_cancels_the_handler) {
  for (const bool orderly : {true, false}) {
    auto client = site.connect();
    client.send(post("Content-Length: 4\r\n", "bo"));
    EXPECT_EQ(site.handlers(), 1u);
    orderly ? client.shut_down() : client.hang_up();
    EXPECT_EQ(site.handlers(), 0u);
    EXPECT_EQ(site.sessions(), 0u);
  }
  EXPECT_EQ(site.loop.log().errors, 0);
}

TEST_F(Body, that_has_been_read_or_refused_leaves_an_eye_on_the_client) {
  site.handle("/then", [this](Exchange exchange) -> Task<> {
    try {
      (void)co_await exchange.body(10);
    } catch (const Error&) {
      log += "refused ";
    }
    co_await site.gate.pass();
  });
  for (const auto& [framing, rest] : {std::pair{"Content-Length: 4\r\n", "body"},
                                      {"Content-Length: 11\r\n", "body"},
                                      {"Transfer-Encoding: chunked\r\n", "4\r\nbody\r\n0\r\n\r\n"},
                                      {"Transfer-Encoding: chunked\r\n", "4\r\nbody?"},
                                      {"Transfer-Encoding: chunked\r\n", "b\r\nbody"}}) {
    for (const bool at_once : {true, false}) {
      auto client = site.connect();
      const auto head = post(framing, "", "/then");
      if (at_once) {
        client.send(head + rest);
      } else {
        client.send(head);
        client.send(rest);
      }
      EXPECT_EQ(site.handlers(), 1u);
      EXPECT_EQ(site.loop->blocks().taken(), 0u);
      client.hang_up();
      EXPECT_EQ(site.handlers(), 0u) << framing << rest;
    }
  }
  EXPECT_EQ(log, "refused refused refused refused refused refused ");
}

TEST_F(Body, cannot_be_read_twice_at_once_nor_behind_the_answer) {
  site.handle("/misuse", [this](Exchange exchange) -> Task<> {
    const auto note = [](Exchange& of, std::string& text) -> Task<> {
      try {
        text += "<" + co_await of.body() + ">";
      } catch (const Error& error) {
        text += std::string(error.code().message()) + "; ";
      }
    };
    {
      TaskGroup group;
      group.spawn(note(exchange, log));
      group.spawn(note(exchange, log));
      co_await site.gate.pass();
    }
    co_await exchange.respond(Status::ok, "");
    co_await note(exchange, log);
  });
  auto client = site.connect();
  client.send(post("Content-Length: 4\r\n", "bo", "/misuse"));
  EXPECT_EQ(log, "another read of this connection is under way; ");
  client.send("dy");
  site.open_gate();
  EXPECT_EQ(log,
            "another read of this connection is under way; <body>"
            "the request has been answered already; ");
}

TEST_F(Body, read_by_somebody_who_is_not_told_of_the_answer_ends) {
  site.handle("/answer", [this](Exchange exchange) -> Task<> {
    TaskGroup group;
    const auto read = [](Exchange& of, std::string& text) -> Task<> {
      try {
        (void)co_await of.body();
      } catch (const Error& error) {
        text += error.code().message();
      }
    };
    group.spawn(read(exchange, log));
    co_await exchange.respond(Status::ok, "early");
    co_await site.gate.pass();
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(post("Content-Length: 4\r\n", "bo", "/answer")),
            answer("200 OK", "early"));
  EXPECT_EQ(log, "the request has been answered already");
  site.open_gate();
  EXPECT_EQ(client.exchange("dy" + get("/ok")), answer("200 OK", "ok\n"));
}

TEST_F(Body, a_wait_for_it_may_be_given_up) {
  site.handle("/maybe", [](Exchange exchange) -> Task<> {
    {
      TaskGroup group;
      const auto read = [](Exchange& of) -> Task<> { (void)co_await of.body(); };
      group.spawn(read(exchange));
    }
    const auto body = co_await exchange.body();
    co_await exchange.respond(Status::ok, body);
  });
  auto client = site.connect();
  client.send(post("Content-Length: 4\r\n", "", "/maybe"));
  EXPECT_EQ(client.exchange("body"), answer("200 OK", "body"));
}

TEST_F(Body, that_was_not_read_keeps_the_connection_from_being_taken) {
  site.handle("/raw", [](Exchange exchange) -> Task<> {
    const bool reads = exchange.request().query() == "read";
    if (reads) (void)co_await exchange.body();
    auto stream = co_await exchange.hijack();
    const std::string_view greeting = "hello\n";
    co_await stream.write(greeting);
  });
  auto client = site.connect();
  client.send(post("Content-Length: 4\r\n", "body", "/raw"));
  EXPECT_EQ(client.receive().substr(0, 12), "HTTP/1.1 500");
  EXPECT_EQ(site.loop.log().errors, 1);
  auto reading = site.connect();
  EXPECT_EQ(reading.exchange(post("Content-Length: 4\r\n", "body", "/raw?read")), "hello\n");
  reading.hang_up();
}

TEST_F(Body, ends_with_the_server) {
  auto client = site.connect();
  client.send(post("Content-Length: 4\r\n", "bo"));
  auto other = site.connect();
  other.send(request("POST /pieces HTTP/1.1", "Content-Length: 6\r\n") + "abc");
  site.open_gate();
}  // TestLoop looks for what is left

TEST_F(Body, that_is_being_dropped_does_not_hold_up_a_drain) {
  site.handle_later();
  auto client = site.connect();
  client.send(post("Content-Length: 10\r\n", "0123456789", "/later"));
  {
    Turn turn{*site.loop};
    site.gate.open();
    site.loop->drain();
  }
  site.loop.settle();
  EXPECT_EQ(client.receive(), answer("200 OK", "/later"));
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(site.sessions(), 0u);
}

TEST_F(Body, is_waited_for_in_a_drain) {
  auto client = site.connect();
  client.send(post("Content-Length: 4\r\n", "bo"));
  auto skipped = site.connect();
  skipped.exchange(post("Content-Length: 4\r\n", "bo", "/ok"));
  site.drain();
  EXPECT_TRUE(skipped.ended());
  EXPECT_EQ(client.exchange("dy"), last_answer("200 OK", "body"));
}

}  // namespace
}  // namespace hotline::http::testing
