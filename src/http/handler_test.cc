#include <stdexcept>

#include <hotline/base/error.h>

#include "http/site_fixture.h"

namespace hotline::http::testing {
namespace {

using namespace std::chrono_literals;

const auto failed = answer("500 Internal Server Error", "500 Internal Server Error\n");

Handler throwing(std::exception_ptr exception) {
  return [exception](Exchange exchange) -> Task<> {
    (void)exchange;
    std::rethrow_exception(exception);
    co_return;
  };
}

// Keeps what it is told.
class Observer final : public detail::HandlerObserver {
 public:
  void handler_ended(bool by_exception) noexcept override {
    told += by_exception ? "threw " : "returned ";
  }
  std::string told;
};

TEST(Handler, that_throws_is_logged_and_answers_500) {
  Site site;
  site.handle("/throw", throwing(std::make_exception_ptr(std::runtime_error("bad\nluck"))));
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/throw")), failed);
  EXPECT_EQ(site.loop.log().lines.back(), "the handler of /throw failed: bad\\x0aluck");
  EXPECT_EQ(site.loop.log().errors, 1);
  EXPECT_EQ(client.exchange(get("/throw")), failed) << "the connection goes on";
}

TEST(Handler, may_throw_anything_and_before_it_is_a_task) {
  Site site;
  site.handle("/int", throwing(std::make_exception_ptr(1)));
  site.handle("/early", [](Exchange) -> Task<> { throw std::runtime_error("early"); });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/int") + get("/early")), failed + failed);
  EXPECT_EQ(site.loop.log().errors, 2);
}

TEST(Handler, that_throws_behind_its_answer_changes_nothing_of_it) {
  Site site;
  site.handle("/", [](Exchange exchange) -> Task<> {
    co_await exchange.respond(Status::ok, "fine");
    throw std::runtime_error("late");
  });
  EXPECT_EQ(site.connect().exchange(get("/")), answer("200 OK", "fine"));
  EXPECT_EQ(site.loop.log().errors, 1);
}

TEST(Handler, that_leaves_by_cancelled_ends_ordinarily) {
  Site site;
  site.handle("/", throwing(std::make_exception_ptr(Cancelled())));
  EXPECT_EQ(site.connect().exchange(get("/")), failed);
  EXPECT_EQ(site.loop.log().errors, 0);
}

TEST(Handler, that_answers_nothing_answers_500) {
  Site site;
  site.handle("/", [](Exchange) -> Task<> { co_return; });
  site.handle("/empty", [](Exchange) -> Task<> { return {}; });
  EXPECT_EQ(site.connect().exchange(get("/") + get("/empty")), failed + failed);
}

TEST(Handler, may_be_done_without_a_task) {
  Site site;
  site.handle("/", [](Exchange exchange) -> Task<> {
    const auto sending = exchange.respond(Status::created, "made");
    (void)sending;  // not awaited: sent all the same
    return {};
  });
  EXPECT_EQ(site.connect().exchange(get("/") + get("/")),
            answer("201 Created", "made") + answer("201 Created", "made"));
}

TEST(Handler, hears_of_a_second_answer) {
  Site site;
  std::string heard;
  site.handle("/", [&](Exchange exchange) -> Task<> {
    EXPECT_FALSE(exchange.answered());
    co_await exchange.respond(Status::ok, "first");
    EXPECT_TRUE(exchange.answered());
    try {
      co_await exchange.respond(Status::ok, "second");
    } catch (const Error& error) {
      if (error.code() == Fault::already_answered) heard += "respond ";
    }
    try {
      auto stream = co_await exchange.hijack();
    } catch (const Error& error) {
      if (error.code() == Fault::already_answered) heard += "hijack";
    }
  });
  EXPECT_EQ(site.connect().exchange(get("/")), answer("200 OK", "first"));
  EXPECT_EQ(heard, "respond hijack");
}

TEST(Handler, cannot_answer_with_a_status_that_is_none) {
  Site site;
  site.handle("/", [&](Exchange exchange) -> Task<> {
    for (const auto status : {Status{100}, Status::switching_protocols, Status{600}, Status{0}}) {
      try {
        co_await exchange.respond(status, "");
        ADD_FAILURE() << static_cast<int>(status);
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), Fault::bad_option);
      }
    }
    co_await exchange.respond(Status{599}, "");
  });
  EXPECT_EQ(site.connect().exchange(get("/")), answer("599 ", ""));
}

TEST(Handler, is_cancelled_when_its_client_hangs_up_before_the_answer) {
  for (const bool orderly : {true, false}) {
    Site site;
    site.handle_later();
    auto client = site.connect();
    client.exchange(get("/later"));
    EXPECT_EQ(site.handlers(), 1u);
    orderly ? client.shut_down() : client.hang_up();
    EXPECT_EQ(site.handlers(), 0u);
    EXPECT_FALSE(site.gate.is_waited_at());
    EXPECT_EQ(site.sessions(), 0u);
  }
}

TEST(Handler, is_cancelled_also_when_its_client_had_more_to_ask_before_it_hung_up) {
  for (const bool orderly : {true, false}) {
    Site site;
    site.handle_later();
    auto client = site.connect();
    client.exchange(get("/later") + get("/later"));
    client.send(get("/later"));
    EXPECT_EQ(site.handlers(), 1u);
    orderly ? client.shut_down() : client.hang_up();
    EXPECT_EQ(site.handlers(), 0u);
    EXPECT_FALSE(site.gate.is_waited_at());
    EXPECT_EQ(site.sessions(), 0u);
  }
}

TEST(Handler, leaves_what_came_while_it_ran_in_its_order) {
  Site site;
  site.handle_later();
  site.handle_later("/second");
  auto [server, wire] = make_memory_streams(*site.loop, {});
  site.serve(std::move(server));
  const auto send = [&stream = wire](const std::string& bytes) {
    EXPECT_EQ(stream->try_write(bytes).size, bytes.size());
  };
  send(get("/later") + "GET /sec");
  site.loop.settle();
  send("ond HTTP/1.1\r\nHost: localhost\r\n\r\n");  // heard of behind the answer
  site.open_gate();
  site.open_gate();
  Client client{*site.loop, std::move(wire)};
  EXPECT_EQ(client.receive(), answer("200 OK", "/later") + answer("200 OK", "/second"));
}

TEST(Handler, goes_on_when_its_client_hangs_up_behind_the_answer) {
  Site site;
  bool ended = false;
  site.handle("/", [&](Exchange exchange) -> Task<> {
    co_await exchange.respond(Status::ok, "");
    co_await site.gate.pass();
    EXPECT_EQ(exchange.request().path(), "/");
    ended = true;
  });
  auto client = site.connect();
  client.exchange(get("/"));
  client.hang_up();
  EXPECT_EQ(site.sessions(), 0u);
  site.open_gate();
  EXPECT_TRUE(ended);
}

TEST(Handler, that_goes_on_behind_its_answer_holds_up_the_next_request) {
  Site site;
  site.handle("/", [&](Exchange exchange) -> Task<> {
    co_await exchange.respond(Status::ok, "first");
    co_await site.gate.pass();
  });
  site.handle_ok();
  for (const bool pipelined : {true, false}) {
    auto client = site.connect();
    auto received = client.exchange(get("/") + (pipelined ? get("/ok") : ""));
    if (!pipelined) client.send(get("/ok"));
    EXPECT_EQ(received + client.receive(), answer("200 OK", "first"));
    EXPECT_EQ(site.handlers(), 1u);
    site.open_gate();
    EXPECT_EQ(site.handlers(), 0u);
    EXPECT_EQ(client.receive(), answer("200 OK", "ok\n"));
  }
}

TEST(Handler, may_give_its_exchange_away) {
  Site site;
  std::optional<Exchange> kept;
  site.handle("/", [&](Exchange exchange) -> Task<> {
    kept.emplace(std::move(exchange));
    co_return;
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/")), "");
  EXPECT_EQ(site.handlers(), 0u);
  kept.reset();
  EXPECT_EQ(client.receive(), failed);
  client.exchange(get("/"));
  client.hang_up();
  EXPECT_EQ(site.sessions(), 0u);
  EXPECT_EQ(kept->request().path(), "/");
  EXPECT_THROW(kept->hijack().await_resume(), Error);
  kept.reset();
}

TEST(Handler, is_destroyed_with_the_server) {
  Site site;
  site.handle_later();
  auto client = site.connect();
  client.exchange(get("/later") + get("/later"));
  EXPECT_EQ(site.handlers(), 1u);
}  // TestLoop looks for what is left

TEST(Response, refuses_fields_that_would_split_it) {
  Response response{Status::ok};
  for (const auto& [name, value] : {std::pair{"", "a"},
                                    {"a b", "c"},
                                    {"a:", "c"},
                                    {"a", "b\r\nc: d"},
                                    {"a", "b\nc"},
                                    {"a", "b\x7f"},
                                    {"Content-Length", "1"},
                                    {"connection", "close"},
                                    {"DATE", "now"},
                                    {"Transfer-Encoding", "chunked"}}) {
    try {
      response.add(name, value);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Fault::bad_option);
    }
  }
  EXPECT_TRUE(response.headers().empty());
}

TEST(Response, without_a_body_has_no_length) {
  Site site;
  site.handle("/204", [](Exchange exchange) -> Task<> {
    const Response response{Status::no_content};
    co_await exchange.respond(response);
  });
  site.handle("/304", [](Exchange exchange) -> Task<> {
    const auto response = Response{Status::not_modified}.add("ETag", "\"a\"");
    co_await exchange.respond(response);
  });
  site.handle("/close", [](Exchange exchange) -> Task<> {
    const auto response = Response{Status::upgrade_required}.add("Upgrade", "websocket").close();
    co_await exchange.respond(response);
  });
  EXPECT_EQ(site.connect().exchange(get("/204") + get("/304") + get("/close")),
            "HTTP/1.1 204 No Content\r\n\r\n"
            "HTTP/1.1 304 Not Modified\r\nETag: \"a\"\r\n\r\n"
            "HTTP/1.1 426 Upgrade Required\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"
            "Content-Length: 0\r\n\r\n");
}

// Taking over

Task<> speak_lines(ByteStream stream) {
  std::string greeting = "hello\n";
  co_await stream.write(greeting);
  char buffer[100];
  for (;;) {
    const auto count = co_await stream.read_some(buffer);
    if (count == 0) co_return;
    const std::string_view bytes{buffer, count};
    co_await stream.write(bytes);
  }
}

class TakeOver : public ::testing::Test {
 protected:
  TakeOver() {
    site.handle_ok();
    site.handle_later();
    site.handle_big(30'000);
    site.handle("/raw", [](Exchange exchange) -> Task<> {
      auto stream = co_await exchange.hijack();
      EXPECT_TRUE(exchange.answered());
      EXPECT_EQ(exchange.request().path(), "/raw");
      co_await speak_lines(std::move(stream));
    });
    site.handle("/lines", [](Exchange exchange) -> Task<> {
      const auto headers = Response{Status::ok}.add("Upgrade", "lines");
      auto stream = co_await exchange.switch_protocols(headers);
      co_await speak_lines(std::move(stream));
    });
    site.handle("/late", [this](Exchange exchange) -> Task<> {
      co_await site.gate.pass();
      auto stream = co_await exchange.hijack();
      co_await speak_lines(std::move(stream));
    });
  }

  Site site;
};

TEST_F(TakeOver, hands_over_the_bytes_behind_the_request) {
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/raw") + "already there"), "hello\nalready there");
  EXPECT_EQ(site.sessions(), 0u);
  EXPECT_EQ(site.handlers(), 1u);
  EXPECT_EQ(site.connections(), 1u) << "it still counts";
  EXPECT_EQ(client.exchange("GET / HTTP/1.1\r\n\r\n"), "GET / HTTP/1.1\r\n\r\n");
  client.hang_up();
  EXPECT_EQ(site.handlers(), 0u);
  EXPECT_EQ(site.connections(), 0u);
}

TEST_F(TakeOver, switches_protocols_with_exact_bytes) {
  auto client = site.connect();
  EXPECT_EQ(
      client.exchange(get("/lines") + "x"),
      "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: lines\r\n\r\nhello\nx");
  client.hang_up();
}

TEST_F(TakeOver, in_the_middle_of_pipelined_answers_loses_nothing) {
  const auto requests = get("/ok") + get("/later") + get("/big") + get("/raw") + "tail";
  const auto answers = answer("200 OK", "ok\n") + answer("200 OK", "/later") +
                       answer("200 OK", std::string(30'000, 'b')) + "hello\ntail";
  for (const std::size_t capacity : {100, 1000, 256 * 1024}) {
    for (int cut = 0; cut < 6; ++cut) {
      auto client = site.connect({.capacity = capacity});
      if (cut == 0 && capacity > 1000) {
        client.send(requests);
      } else if (cut == 1) {
        client.send_bytewise(requests);
      } else {
        client.send_in_random_cuts(requests, static_cast<unsigned>(cut));
      }
      site.open_gate();
      auto received = client.receive();
      client.send("");
      received += client.receive();
      EXPECT_EQ(received, answers) << capacity << ", cut " << cut;
      client.hang_up();
      EXPECT_EQ(site.loop->connections(), 0u);
    }
  }
}

TEST_F(TakeOver, later_hands_over_what_came_meanwhile) {
  auto client = site.connect();
  EXPECT_EQ(client.exchange(get("/ok") + get("/late") + "one "), answer("200 OK", "ok\n"));
  client.send("two");
  site.open_gate();
  EXPECT_EQ(client.receive(), "hello\none two");
  client.hang_up();
}

TEST_F(TakeOver, hears_of_a_drain) {
  auto client = site.connect();
  client.exchange(get("/raw"));
  site.drain();
  EXPECT_EQ(site.handlers(), 0u) << "leaving by Cancelled is ordinary";
  EXPECT_TRUE(client.ended());
  EXPECT_EQ(site.loop.log().errors, 0);
}

TEST_F(TakeOver, ends_with_the_server) {
  auto client = site.connect();
  client.exchange(get("/raw"));
}  // TestLoop looks for what is left

class Observed : public ::testing::Test {
 protected:
  Observed() {
    site.handle("/observe", [this](Exchange exchange) -> Task<> {
      taken = exchange.core().take_over("");
      exchange.core().observe_handler(observer.get());
      const bool fails = exchange.request().query() == "fail";
      {
        const auto released = std::move(exchange);
      }
      co_await site.gate.pass();
      if (fails) throw std::runtime_error("failed");
    });
  }

  Site site;
  std::unique_ptr<Observer> observer = std::make_unique<Observer>();
  detail::TakenOver taken;
};

TEST_F(Observed, the_end_of_a_handler_is_told_after_the_exchange_has_gone) {
  auto first = site.connect();
  first.exchange(get("/observe"));
  EXPECT_EQ(observer->told, "");
  site.open_gate();
  EXPECT_EQ(observer->told, "returned ");
  auto second = site.connect();
  second.exchange(get("/observe?fail"));
  site.open_gate();
  EXPECT_EQ(observer->told, "returned threw ");
  taken = {};
}

TEST_F(Observed, nobody_is_told_who_has_gone) {
  auto client = site.connect();
  client.exchange(get("/observe"));
  observer.reset();
  site.open_gate();
  EXPECT_EQ(site.handlers(), 0u);
  taken = {};
}

}  // namespace
}  // namespace hotline::http::testing
