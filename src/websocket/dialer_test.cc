#include <hotline/websocket/dialer.h>

#include <hotline/net/sleep.h>

#include "websocket/dialer_fixture.h"

namespace hotline::websocket {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

TEST(Dialer, SendsWhatTheStandardAsksFor) {  // RFC 6455 4.1
  Dialling dialling;
  dialling.dial("ws://example.org:8080/chat?room=1");
  const auto key = dialling.header("Sec-WebSocket-Key");
  EXPECT_TRUE(protocol::valid_key(key));
  EXPECT_EQ(dialling.request(),
            "GET /chat?room=1 HTTP/1.1\r\nHost: example.org:8080\r\nUpgrade: websocket\r\n"
            "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
                key + "\r\n\r\n");
}

TEST(Dialer, TellsTheHookWhereTheUrlLeads) {
  Dialling dialling;
  dialling.dial("ws://[::1]:9/x");
  ASSERT_EQ(dialling.targets.size(), 1u);
  EXPECT_EQ(dialling.targets[0].host, "::1");
  EXPECT_EQ(dialling.targets[0].port, 9);
  EXPECT_EQ(dialling.targets[0].socket_path, "");
  EXPECT_FALSE(dialling.targets[0].secure);
}

TEST(Dialer, GivesAConnectionThatTalks) {
  Dialling dialling;
  dialling.dial().accept_it();
  ASSERT_TRUE(dialling.connection);
  EXPECT_EQ(dialling.response.status, 101);
  EXPECT_EQ(dialling.response.header("upgrade"), "websocket");
  dialling.loop.run([](Connection& connection) -> Task<> {
    co_await connection.write("hello");
    const auto message = co_await connection.read();
    EXPECT_TRUE(message && message->text() == "hi");
  }(*dialling.connection));
  auto bytes = dialling.server().receive();
  const auto frame = testing::take_frame(bytes);
  ASSERT_TRUE(frame);
  EXPECT_TRUE(frame->masked);
  EXPECT_EQ(frame->payload, "hello");
  dialling.answer(testing::from_server(1, "hi"));
}

TEST(Dialer, BytesBehindTheResponseAreTheSessionsFirst) {
  Dialling dialling;
  dialling.dial();
  dialling.answer(dialling.switching() + testing::from_server(1, "early"));
  ASSERT_TRUE(dialling.connection);
  std::string text;
  dialling.loop.run([](Connection& connection, std::string& to) -> Task<> {
    if (auto message = co_await connection.read()) to = message->text();
  }(*dialling.connection, text));
  EXPECT_EQ(text, "early");
}

TEST(Dialer, EveryDialHasAKeyOfItsOwn) {
  Dialling dialling;
  dialling.dial();
  const auto first = dialling.header("Sec-WebSocket-Key");
  dialling.hang_up();
  dialling.dial();
  EXPECT_NE(dialling.header("Sec-WebSocket-Key"), first);
}

TEST(Dialer, OffersSubprotocolsAndTellsWhichWasChosen) {
  Dialling dialling{{.subprotocols = {"chat.v2", "chat.v1"}}};
  dialling.dial();
  EXPECT_EQ(dialling.header("Sec-WebSocket-Protocol"), "chat.v2, chat.v1");
  dialling.accept_it("sec-websocket-protocol:  chat.v1 \r\n");
  ASSERT_TRUE(dialling.connection) << dialling.error();
  EXPECT_EQ(dialling.connection->subprotocol(), "chat.v1");
}

TEST(Dialer, AServerNeedNotChooseASubprotocol) {
  Dialling dialling{{.subprotocols = {"chat"}}};
  dialling.dial().accept_it();
  ASSERT_TRUE(dialling.connection);
  EXPECT_EQ(dialling.connection->subprotocol(), "");
}

TEST(Dialer, SendsOriginAndFurtherHeaders) {
  Dialling dialling{{.origin = "https://example.org",
                     .headers = {{"Authorization", "Bearer x"},
                                 {"X-A", "1"},
                                 {"X-A", " 2"},
                                 {"Host", "other.example"},
                                 {"Cookie", "a=b"}}}};
  dialling.dial("ws://ann:secret@example.org/");
  EXPECT_EQ(dialling.header("Origin"), "https://example.org");
  EXPECT_EQ(dialling.header("Host"), "other.example");
  EXPECT_EQ(dialling.header("Authorization"), "Bearer x");
  EXPECT_EQ(dialling.header("Cookie"), "a=b");
  EXPECT_THAT(dialling.request(), HasSubstr("X-A: 1\r\nX-A: 2\r\n"));
  EXPECT_THAT(dialling.request(), Not(HasSubstr("Basic")));
}

TEST(Dialer, SendsNoCredentialsWhereAuthorizationIsGivenEvenEmpty) {
  Dialling dialling{{.headers = {{"authorization", ""}}}};
  dialling.dial("ws://ann:secret@example.org/");
  EXPECT_EQ(dialling.header("authorization"), "");
  EXPECT_EQ(dialling.header("Authorization"), "-");
}

TEST(Dialer, ConnectsWithinAZoneThatHostDoesNotTell) {
  Dialling dialling;
  dialling.dial("ws://[fe80::1%25eth0]:8080/chat");
  ASSERT_EQ(dialling.targets.size(), 1u);
  EXPECT_EQ(dialling.targets[0].host, "fe80::1%eth0");
  EXPECT_EQ(dialling.header("Host"), "[fe80::1]:8080");
}

TEST(Dialer, SendsTheUrlsUserAndPassword) {  // RFC 7617 2
  Dialling dialling;
  dialling.dial("ws://Aladdin:open%20sesame@example.org/");
  EXPECT_EQ(dialling.header("Authorization"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
  EXPECT_EQ(dialling.header("Host"), "example.org");
}

TEST(Dialer, TheResponseMayComeByteByByte) {
  Dialling dialling{{}, {.largest_transfer = 1}};
  dialling.dial().accept_it();
  EXPECT_TRUE(dialling.connection) << dialling.error();
}

TEST(Dialer, TheResponseMayBeCutAnywhere) {
  const auto frame = testing::from_server(1, "early");
  std::size_t size = 1000;
  for (std::size_t cut = 1; cut < size; ++cut) {
    Dialling dialling;
    dialling.dial();
    const auto bytes = dialling.switching() + frame;
    size = bytes.size();
    dialling.answer(bytes.substr(0, cut));
    dialling.answer(bytes.substr(cut));
    ASSERT_TRUE(dialling.connection) << cut;
    std::string text;
    dialling.loop.run([](Connection& connection, std::string& to) -> Task<> {
      if (auto message = co_await connection.read()) to = message->text();
    }(*dialling.connection, text));
    EXPECT_EQ(text, "early") << cut;
  }
}

TEST(Dialer, SkipsInterimResponses) {
  Dialling dialling;
  dialling.dial();
  dialling.answer("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n");
  EXPECT_TRUE(dialling.is_dialling());
  dialling.accept_it();
  EXPECT_TRUE(dialling.connection) << dialling.error();
}

TEST(Dialer, DoesNotSkipThemForEver) {
  Dialling dialling;
  dialling.dial();
  for (int i = 0; i < 9; ++i) dialling.answer("HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_THAT(dialling.error(), HasSubstr("interim"));
}

// ---- Options

std::string option_error(DialerOptions options) {
  try {
    const Dialer dialer{std::move(options)};
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Fault::bad_option);
    return error.what();
  }
  return "";
}

TEST(DialerOptions, AreCheckedWhenTheDialerIsMade) {
  EXPECT_EQ(option_error({}), "");
  EXPECT_THAT(option_error({.subprotocols = {"a b"}}), HasSubstr("subprotocols: \"a b\""));
  EXPECT_THAT(option_error({.subprotocols = {"a", "a"}}), HasSubstr("stands twice"));
  EXPECT_THAT(option_error({.origin = "a\r\nb"}), HasSubstr("origin: "));
  EXPECT_THAT(option_error({.headers = {{"a b", ""}}}), HasSubstr("headers: \"a b\""));
  EXPECT_THAT(option_error({.headers = {{"X-A", "a\r\nb"}}}), HasSubstr("X-A has a control byte"));
  EXPECT_THAT(option_error({.headers = {{"host", "a"}, {"Host", "b"}}}), HasSubstr("stands twice"));
  EXPECT_THAT(option_error({.headers = {{"Host", " "}}}), HasSubstr("Host is empty"));
  EXPECT_THAT(option_error({.headers = {{"Origin", "x"}}}), HasSubstr("an option of its own"));
  EXPECT_THAT(option_error({.limits = {.fragments = 0}}), HasSubstr("limits.fragments"));
  EXPECT_THAT(option_error({.timeout = 0ms}), HasSubstr("timeout: more than 0"));
  for (const auto* text : {"host", "host:", "host:0", "host:1/x", "u@host:1", "[::1]",
                           "unix:", "host:1?x", "h:1@host"}) {
    EXPECT_THAT(option_error({.connect_to = text}), HasSubstr("connect_to: ")) << text;
  }
  EXPECT_THAT(option_error({.tls = {.ca_file = "/nowhere.pem"}}), HasSubstr("/nowhere.pem"));
  EXPECT_THAT(option_error({.proxy = {.url = "gopher://h"}}), HasSubstr("gopher"));
  EXPECT_THAT(option_error({.proxy = {.tls = {.ca_file = "/nowhere.pem"}}}),
              HasSubstr("/nowhere.pem"));
  for (const auto* text : {"host:1", "[::1]:80", "unix:/run/s"}) {
    EXPECT_EQ(option_error({.connect_to = text}), "") << text;
  }
}

TEST(DialerOptions, TheHandshakesHeadersAreItsOwn) {
  for (const auto* name : {"Upgrade", "connection", "Sec-WebSocket-Key", "Sec-WebSocket-Version",
                           "Sec-WebSocket-Protocol", "Sec-WebSocket-Extensions", "Content-Length",
                           "Transfer-Encoding", "Expect", "Proxy-Authorization"}) {
    EXPECT_THAT(option_error({.headers = {{name, "x"}}}), HasSubstr("is the handshake's")) << name;
  }
}

TEST(DialerOptions, ABadUrlIsReportedWhereItIsDialled) {
  Dialling dialling;
  dialling.dial("ws://example.org/#x");
  EXPECT_EQ(dialling.code(), Fault::bad_url);
  EXPECT_TRUE(dialling.targets.empty());
}

TEST(DialerOptions, AHookThatSuppliesNothingIsReported) {
  Dialling dialling{
      {.connect = [](const DialTarget&) -> Task<StreamPointer> { co_return nullptr; }}};
  dialling.dial();
  EXPECT_EQ(dialling.code(), Fault::bad_option);
}

// ---- Deadline and cancelling

TEST(Dialer, HasOneDeadlineOverEverything) {
  Dialling dialling{{.timeout = 3s}};
  dialling.dial();
  dialling.answer("HTTP/1.1 101 Swit");
  dialling.loop.advance(2999ms);
  EXPECT_TRUE(dialling.is_dialling());
  dialling.loop.advance(1ms);
  EXPECT_EQ(dialling.code(), Fault::deadline_passed);
  EXPECT_THAT(dialling.error(), HasSubstr("ws://example.org/chat: not within 3 s, waiting for the "
                                          "answer to the upgrade"));
}

TEST(Dialer, SaysWithinWhichStepTheDeadlinePassed) {
  Dialling dialling{{.timeout = 1500ms, .connect = [](const DialTarget&) -> Task<StreamPointer> {
                       co_await sleep(1h);
                       co_return nullptr;
                     }}};
  dialling.dial();
  dialling.loop.advance(2s);
  EXPECT_THAT(dialling.error(), HasSubstr("not within 1500 ms, connecting"));
}

TEST(Dialer, ADeadlineWithinTheHookIsNotItsOwn) {
  Dialling dialling{{.connect = [](const DialTarget&) -> Task<StreamPointer> {
    throw Error(Fault::deadline_passed, "mine");
    co_return nullptr;
  }}};
  dialling.dial();
  EXPECT_THAT(dialling.error(), HasSubstr("mine"));
}

TEST(Dialer, AServerThatHangsUpIsReported) {
  Dialling dialling;
  dialling.dial().request();
  dialling.hang_up();
  EXPECT_EQ(dialling.code(), Fault::connection_reset);
  EXPECT_THAT(dialling.error(), HasSubstr("without an answer"));
  Dialling later;
  later.dial();
  later.answer("HTTP/1.1 101 Swit");
  later.hang_up();
  EXPECT_THAT(later.error(), HasSubstr("within its answer"));
}

TEST(Dialer, AFailingTransferIsReportedWhereverItIs) {
  for (std::uint64_t at = 1;; ++at) {
    Dialling dialling{{}, {.largest_transfer = 40, .fail_at = at, .failure = ETIMEDOUT}};
    dialling.dial();
    const bool heard = dialling.request().ends_with("\r\n\r\n");
    dialling.accept_it();
    if (dialling.connection) {
      EXPECT_GT(at, 5u);
      break;
    }
    if (!heard || dialling.is_dialling()) continue;  // it was the server's own that failed
    EXPECT_TRUE(dialling.code() == std::errc::timed_out ||
                dialling.code() == Fault::connection_reset)
        << at << dialling.error();
  }
}

TEST(Dialer, ADialCanBeDroppedAtEveryTransfer) {
  for (int transfers = 0; transfers < 40; ++transfers) {
    Dialling dialling{{}, {.largest_transfer = 30}};
    dialling.dial();
    const auto bytes = dialling.switching();
    dialling.server().send(
        std::string_view{bytes}.substr(0, 5 * static_cast<std::size_t>(transfers)));
    dialling.loop.cancel();
    EXPECT_EQ(dialling.loop.waiting(), 0u);
  }
}

TEST(Dialer, ADialThatIsNotAwaitedDoesNothing) {
  Dialling dialling;
  const Dialer dialer;
  {
    const auto task = dialer.dial("ws://example.org/");
  }
  EXPECT_TRUE(dialling.targets.empty());
}

TEST(Dialer, ADrainCancels) {
  Dialling dialling;
  dialling.dial();
  dialling.loop.drain();
  EXPECT_EQ(dialling.code(), Fault::cancelled);
  Dialling later;
  later.loop.drain();
  later.dial();
  EXPECT_EQ(later.code(), Fault::cancelled);
}

TEST(Dialer, OutlivesNothing) {
  Dialling dialling;
  std::optional<Dialer> dialer;
  dialer.emplace(DialerOptions{.connect = [&](const DialTarget&) -> Task<StreamPointer> {
    co_await sleep(1s);
    throw Error(Fault::deadline_passed, "done");
    co_return nullptr;
  }});
  std::string what;
  dialling.loop.run([](Task<Connection> dial, std::string& to) -> Task<> {
    try {
      const auto connection = co_await std::move(dial);
    } catch (const Error& error) {
      to = error.what();
    }
  }(dialer->dial(std::string("ws://example.org/")), what));
  dialer.reset();
  dialling.loop.advance(1s);
  EXPECT_THAT(what, HasSubstr("done"));
}

}  // namespace
}  // namespace hotline::websocket
