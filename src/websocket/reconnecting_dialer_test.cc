#include <hotline/websocket/reconnecting_dialer.h>

#include <hotline/http/proxy_refused.h>

#include "websocket/dialer_fixture.h"

namespace hotline::websocket {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using Outcome = DialAttempt::Outcome;
using namespace std::chrono_literals;

// A client that goes on, in virtual time; each dial is answered as the test says.
class Going {
 public:
  explicit Going(ReconnectingDialerOptions options = {}, std::string_view url = "ws://h/") {
    options.on_attempt = [this](const DialAttempt& attempt) { attempts.push_back(attempt); };
    DialerOptions dialing{.connect = [this](const DialTarget&) { return connect(); }};
    dialer.emplace(url, std::move(dialing), std::move(options));
    loop.run(go_on());
  }
  Going(const Going&) = delete;
  Going& operator=(const Going&) = delete;
  ~Going() {
    loop.cancel();
    server.reset();
    loop.advance(10s);
  }

  std::string request() {
    std::string text;
    for (int i = 0; i < 5; ++i) text += server->receive();
    return text;
  }
  void accept() {
    const auto text = request();
    const std::string name{"Sec-WebSocket-Key: "};
    const auto key = text.substr(text.find(name) + name.size(), 24);
    server->send(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n"
        "Connection: Upgrade\r\nSec-WebSocket-Accept: " +
        protocol::accept_for(key) + "\r\n\r\n");
  }
  void refuse(std::string_view status, std::string_view fields = "") {
    request();
    server->send("HTTP/1.1 " + std::string(status) + "\r\n" + std::string(fields) +
                 "Content-Length: 0\r\n\r\n");
  }
  void close(int code) {
    server->send(testing::from_server(8, testing::close_payload(code, "why\n")));
    server->receive();
    server->hang_up();
    server.reset();
    loop.settle();
  }
  /// Fails this dial, and lets pass what it waits: how long that is.
  Duration fail() {
    server->hang_up();
    return pass();
  }
  Duration pass() {
    const auto wait = attempts.back().wait;
    const auto before = dials;
    if (wait > 0s) {
      loop.advance(wait - 1ns);
      EXPECT_EQ(dials, before) << "it waits as long as it says";
      loop.advance(1ns);
    }
    EXPECT_EQ(dials, before + 1);
    return wait;
  }
  Outcome last() const { return attempts.back().outcome; }

  testing::TestLoop loop;
  std::optional<testing::RawClient> server;
  std::vector<DialAttempt> attempts;
  std::optional<ReconnectingDialer> dialer;
  int dials = 0;
  int connections = 0;
  bool ended = false;

 private:
  Task<> go_on() {
    while (auto connection = co_await dialer->next()) {
      ++connections;
      while (auto message = co_await connection->read()) {
      }
    }
    ended = true;
  }
  Task<StreamPointer> connect() {
    ++dials;
    auto [ours, theirs] = make_memory_streams(*loop);
    server.emplace(loop, std::move(theirs));
    co_return std::move(ours);
  }
};

TEST(ReconnectingDialer, ConnectsAtOnceAndAgainAfterAWhile) {
  Going going;
  EXPECT_EQ(going.dials, 1);
  going.accept();
  EXPECT_EQ(going.connections, 1);
  EXPECT_EQ(going.last(), Outcome::connected);
  EXPECT_EQ(going.dialer->response().status, 101);
  going.loop.advance(15s);
  going.close(1000);
  EXPECT_EQ(going.last(), Outcome::lost);
  EXPECT_EQ(going.attempts.back().why, "the connection has ended, 1000: why\\x0a");
  const auto wait = going.pass();
  EXPECT_GE(wait, 250ms);
  EXPECT_LE(wait, 500ms);
  going.accept();
  EXPECT_EQ(going.connections, 2);
}

TEST(ReconnectingDialer, WaitsLongerAfterEachFailure) {
  Going going{{.first = 1s, .most = 10s, .factor = 3}};
  const Duration whole[] = {1s, 3s, 9s, 10s, 10s, 10s};
  unsigned failures = 0;
  for (const auto longest : whole) {
    const auto wait = going.fail();
    EXPECT_EQ(going.last(), Outcome::failed);
    EXPECT_EQ(going.attempts.back().failures, ++failures);
    EXPECT_EQ(going.attempts.back().code, Fault::connection_reset);
    EXPECT_GE(wait, longest / 2);
    EXPECT_LE(wait, longest);
  }
}

TEST(ReconnectingDialer, WaitsNotTheSameEachTime) {
  Going going{{.first = 1s, .most = 1s}};
  const auto one = going.fail();
  const auto other = going.fail();
  EXPECT_NE(one, other);
}

TEST(ReconnectingDialer, AfterThousandsOfFailuresItStillWaitsNoLongerThanTheMost) {
  Going going{{.first = 1s, .most = 10s}};
  for (int i = 0; i < 2000; ++i) ASSERT_LE(going.fail(), 10s);
}

TEST(ReconnectingDialer, AConnectionThatLastsEndsTheRowOfFailures) {
  Going going{{.first = 1s, .lasting = 5s}};
  for (int i = 0; i < 4; ++i) going.fail();
  going.accept();
  EXPECT_EQ(going.attempts.back().failures, 4u);
  going.loop.advance(5s);
  going.close(1000);
  EXPECT_EQ(going.attempts.back().failures, 1u);
  EXPECT_LE(going.pass(), 1s);
}

TEST(ReconnectingDialer, OneThatDoesNotLastIsAFailureMore) {
  Going going{{.first = 1s, .lasting = 5s}};
  for (int i = 0; i < 4; ++i) going.fail();
  going.accept();
  going.loop.advance(4999ms);
  going.close(1000);
  EXPECT_EQ(going.attempts.back().failures, 5u);
  EXPECT_GE(going.pass(), 8s);
}

TEST(ReconnectingDialer, GivesAServerTimeToRestart) {
  Going going;
  going.accept();
  going.close(1012);
  const auto wait = going.pass();
  EXPECT_GE(wait, 5s);
  EXPECT_LE(wait, 30s);
}

TEST(ReconnectingDialer, ComesBackLaterWhereItIsToldTo) {
  Going going;
  going.accept();
  going.close(1013);
  const auto wait = going.pass();
  EXPECT_GE(wait, 30s);
  EXPECT_LE(wait, 60s);
}

TEST(ReconnectingDialer, HonoursRetryAfter) {
  Going going{{.first = 1s, .most = 1s, .longest_retry_after = 1h}};
  const auto wait_for = [&](std::string_view status, std::string_view fields) {
    going.refuse(status, fields);
    EXPECT_EQ(going.last(), Outcome::failed);
    return going.pass();
  };
  const auto is_about = [](Duration wait, Duration wanted) {
    return wait >= wanted && wait <= wanted + 1s;
  };
  EXPECT_TRUE(is_about(wait_for("503 Busy", "Retry-After: 120\r\n"), 120s));
  EXPECT_TRUE(is_about(wait_for("429 Too Many", "Retry-After: 17\r\n"), 17s));
  EXPECT_TRUE(is_about(wait_for("503 Busy",
                                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "Retry-After: Sun, 06 Nov 1994 08:50:37 GMT\r\n"),
                       60s));
  EXPECT_TRUE(is_about(wait_for("503 Busy",
                                "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
                                "Retry-After: Sun, 06 Nov 1994 08:48:37 GMT\r\n"),
                       0s));
  EXPECT_TRUE(is_about(wait_for("503 Busy", "Retry-After: 99999999999999999999999\r\n"), 1h));
  EXPECT_TRUE(is_about(wait_for("503 Busy", "Retry-After: soon\r\n"), 0s));
  EXPECT_TRUE(is_about(wait_for("503 Busy", "Retry-After: -5\r\n"), 0s));
}

TEST(ReconnectingDialer, GivesUpOnWhatCannotSucceed) {
  for (const auto* status : {"200 OK", "302 Found", "400 Bad", "401 Who", "403 No", "404 Not",
                             "405 Method", "410 Gone", "426 Upgrade", "501 No", "505 No"}) {
    Going going;
    going.refuse(status);
    EXPECT_TRUE(going.ended) << status;
    EXPECT_EQ(going.last(), Outcome::gave_up);
    EXPECT_THAT(going.dialer->why(), HasSubstr(status));
    EXPECT_THROW(std::rethrow_exception(going.dialer->failure()), DialRefused);
    EXPECT_EQ(going.dialer->response().status, std::stoi(status));
  }
}

TEST(ReconnectingDialer, GoesOnWhereItMayPass) {
  for (const auto* status : {"408 Slow", "421 No", "425 Early", "429 Many", "500 Oh", "502 Bad",
                             "503 Busy", "504 Slow"}) {
    Going going;
    going.refuse(status);
    EXPECT_EQ(going.last(), Outcome::failed) << status;
    EXPECT_THAT(going.attempts.back().why, HasSubstr(status));
    EXPECT_EQ(going.dialer->why(), "");
    EXPECT_FALSE(going.dialer->failure());
    going.pass();
  }
}

TEST(ReconnectingDialer, GivesUpOnABadUrl) {
  Going going{{}, "http://h/"};
  EXPECT_TRUE(going.ended);
  EXPECT_EQ(going.attempts.back().code, Fault::bad_url);
}

TEST(ReconnectingDialer, HavingGivenUpItSaysSoForEver) {
  Going going;
  going.refuse("404 Not Found");
  for (int i = 0; i < 3; ++i) {
    const auto connection = going.loop.get(going.dialer->next());
    EXPECT_FALSE(connection);
  }
  EXPECT_EQ(going.dials, 1);
}

TEST(ReconnectingDialer, GivesUpAfterSoManyFailures) {
  Going going{{.most_failures = 3}};
  going.fail();
  going.fail();
  EXPECT_FALSE(going.ended);
  going.server->hang_up();
  EXPECT_TRUE(going.ended);
  EXPECT_EQ(going.attempts.back().failures, 3u);
}

TEST(ReconnectingDialer, GivesUpOnConnectionsThatDoNotLast) {
  Going going{{.most_failures = 3}};
  for (int i = 0; i < 2; ++i) {
    going.accept();
    going.close(1001);
    EXPECT_FALSE(going.ended);
    going.pass();
  }
  going.accept();
  going.close(1001);
  EXPECT_TRUE(going.ended);
  EXPECT_EQ(going.last(), Outcome::gave_up);
  EXPECT_EQ(going.attempts.back().failures, 3u);
  EXPECT_THAT(going.dialer->why(), HasSubstr("1001"));
  EXPECT_THROW(std::rethrow_exception(going.dialer->failure()), Error);
}

TEST(ReconnectingDialer, ALastingConnectionThatEndsIsNoReasonToGiveUp) {
  Going going{{.most_failures = 1}};
  going.accept();
  going.loop.advance(15s);
  going.close(1001);
  EXPECT_FALSE(going.ended);
  going.pass();
}

// What is told of a dial that a proxy has refused so.
Outcome outcome_behind_a_proxy(int status) {
  testing::TestLoop loop;
  std::optional<Outcome> outcome;
  ReconnectingDialerOptions options;
  options.on_attempt = [&](const DialAttempt& attempt) { outcome = attempt.outcome; };
  DialerOptions dialing;
  dialing.connect = [status](const DialTarget&) -> Task<StreamPointer> {
    throw http::ProxyRefused("proxy", status, {}, {});
    co_return nullptr;
  };
  ReconnectingDialer dialer{"ws://h/", std::move(dialing), std::move(options)};
  loop.run([](ReconnectingDialer& it) -> Task<> { co_await it.next(); }(dialer));
  loop.cancel();
  return outcome.value();
}

TEST(ReconnectingDialer, GivesUpOnAProxyThatDoesNotLetItIn) {
  for (const int status : {401, 403, 405, 407, 501, 2, 0xff}) {
    EXPECT_EQ(outcome_behind_a_proxy(status), Outcome::gave_up) << status;
  }
  for (const int status : {404, 429, 500, 502, 503, 504, 1, 3, 4, 5, 6}) {
    EXPECT_EQ(outcome_behind_a_proxy(status), Outcome::failed) << status;
  }
}

TEST(ReconnectingDialer, ADialThatTakesTooLongIsAFailure) {
  Going going;
  going.loop.advance(30s);
  EXPECT_EQ(going.last(), Outcome::failed);
  EXPECT_EQ(going.attempts.back().code, Fault::deadline_passed);
}

TEST(ReconnectingDialer, ADrainCancelsAWait) {
  Going going;
  going.server->hang_up();
  going.loop.drain();
  EXPECT_EQ(going.loop.waiting(), 0u);
  EXPECT_FALSE(going.ended);
  EXPECT_EQ(going.attempts.size(), 1u);
}

TEST(ReconnectingDialer, ACancelledNextGoesOnWhereItWas) {
  Going going{{.first = 10s}};
  going.server->hang_up();
  const auto wait = going.attempts.back().wait;
  going.loop.cancel();
  going.loop.advance(1s);
  going.loop.run([](ReconnectingDialer& dialer) -> Task<> {
    const auto connection = co_await dialer.next();
  }(*going.dialer));
  EXPECT_EQ(going.dials, 1);
  going.loop.advance(wait - 1s);
  EXPECT_EQ(going.dials, 2);
}

TEST(ReconnectingDialer, OptionsAreChecked) {
  const auto error_of = [](const ReconnectingDialerOptions& options) -> std::string {
    try {
      const ReconnectingDialer dialer{"ws://h/", {}, options};
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), Fault::bad_option);
      return error.what();
    }
    return "";
  };
  EXPECT_EQ(error_of({}), "");
  EXPECT_THAT(error_of({.first = 0ms}), HasSubstr("first: "));
  EXPECT_THAT(error_of({.first = 2s, .most = 1s}), HasSubstr("most: less than first"));
  EXPECT_THAT(error_of({.factor = 0.5}), HasSubstr("factor: at least 1"));
  EXPECT_THAT(error_of({.factor = std::numeric_limits<double>::quiet_NaN()}), HasSubstr("factor"));
  EXPECT_THAT(error_of({.lasting = -1ms}), HasSubstr("lasting: "));
  EXPECT_THAT(error_of({.restart_least = 2s, .restart_most = 1s}), HasSubstr("restart_most"));
  EXPECT_THAT(error_of({.busy = 0ms}), HasSubstr("busy: "));
  EXPECT_THAT(error_of({.most_failures = 0}), HasSubstr("most_failures"));
}

}  // namespace
}  // namespace hotline::websocket
