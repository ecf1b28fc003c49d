// What comes back, and must not.
#include <hotline/base/entropy.h>
#include <hotline/testing/seeds.h>

#include "websocket/dialer_fixture.h"

namespace hotline::websocket {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

// A 101 with some of its lines changed.
std::string error_of_101(std::string_view changed, std::string_view with,
                         DialerOptions options = {}) {
  Dialling dialling{std::move(options)};
  dialling.dial();
  auto head = dialling.switching();
  const auto at = head.find(changed);
  EXPECT_NE(at, std::string::npos);
  head.replace(at, changed.size(), with);
  dialling.answer(head);
  EXPECT_EQ(dialling.code(), Fault::bad_response);
  EXPECT_EQ(dialling.refusal().status(), 101);
  EXPECT_THAT(dialling.error(), StartsWith("ws://example.org/chat: "));
  return dialling.error();
}

TEST(DialRefused, ByEachRuleOfTheStandard) {  // RFC 6455 4.1
  EXPECT_THAT(error_of_101("HTTP/1.1", "HTTP/1.0"), HasSubstr("HTTP/1.0"));
  EXPECT_THAT(error_of_101("Upgrade: websocket\r\n", ""), HasSubstr("Upgrade is missing"));
  EXPECT_THAT(error_of_101("Upgrade: websocket\r\n", "Upgrade: h2c\r\n"),
              HasSubstr("Upgrade is \"h2c\", and must be \"websocket\""));
  EXPECT_THAT(error_of_101("Upgrade: websocket\r\n", "Upgrade: websocket, h2c\r\n"),
              HasSubstr("must be \"websocket\""));
  EXPECT_THAT(error_of_101("Connection: Upgrade\r\n", ""), HasSubstr("Connection is missing"));
  EXPECT_THAT(error_of_101("Connection: Upgrade\r\n", "Connection: close\r\n"),
              HasSubstr("Connection is \"close\", and must have \"Upgrade\""));
  EXPECT_THAT(error_of_101("Sec-WebSocket-Accept: ", "X: "),
              HasSubstr("Sec-WebSocket-Accept is missing"));
  EXPECT_THAT(error_of_101("Sec-WebSocket-Accept: ", "Sec-WebSocket-Accept: x"),
              HasSubstr("Sec-WebSocket-Accept is \"x"));
  EXPECT_THAT(
      error_of_101("Upgrade: websocket\r\n",
                   "Upgrade: websocket\r\nSec-WebSocket-Extensions: permessage-deflate\r\n"),
      HasSubstr("Sec-WebSocket-Extensions is \"permessage-deflate\", and none was offered"));
  EXPECT_THAT(error_of_101("Upgrade: websocket\r\n",
                           "Upgrade: websocket\r\nSec-WebSocket-Protocol: chat\r\n"),
              HasSubstr("Sec-WebSocket-Protocol is \"chat\", which was not offered"));
  EXPECT_THAT(error_of_101("Upgrade: websocket\r\n",
                           "Upgrade: websocket\r\nSec-WebSocket-Protocol: CHAT\r\n",
                           {.subprotocols = {"chat"}}),
              HasSubstr("which was not offered"));
  EXPECT_THAT(error_of_101("Upgrade: websocket\r\n",
                           "Upgrade: websocket\r\nSec-WebSocket-Protocol: a\r\n"
                           "Sec-WebSocket-Protocol: b\r\n",
                           {.subprotocols = {"a", "b"}}),
              HasSubstr("Sec-WebSocket-Protocol stands 2 times"));
  EXPECT_THAT(
      error_of_101("Upgrade: websocket\r\n", "Upgrade: websocket\r\nSec-WebSocket-Protocol: \r\n",
                   {.subprotocols = {"a"}}),
      HasSubstr("Sec-WebSocket-Protocol is \"\""));
}

TEST(DialRefused, NamesAndTokensAreComparedWithoutCase) {
  Dialling dialling;
  dialling.dial();
  dialling.answer(
      "HTTP/1.1 101\r\nUPGRADE: WebSocket\r\nconnection: keep-alive, upgrade\r\n"
      "sec-websocket-accept:\t" +
      dialling.accept() + " \r\n\r\n");
  EXPECT_TRUE(dialling.connection) << dialling.error();
}

std::string error_of(std::string_view bytes) {
  Dialling dialling;
  dialling.dial();
  dialling.answer(bytes);
  EXPECT_FALSE(dialling.connection);
  if (dialling.is_dialling()) return "it waits";
  EXPECT_EQ(dialling.code(), Fault::bad_response);
  return dialling.error();
}

TEST(DialRefused, WhatIsNoHttpIsReportedAtItsFirstByte) {
  EXPECT_THAT(error_of("SSH-2.0-OpenSSH_9.2\r\n"), HasSubstr("this is no HTTP/1.1"));
  EXPECT_THAT(error_of("S"), HasSubstr("this is no HTTP/1.1"));
  EXPECT_THAT(error_of("HTTP/2 101\r\n"), HasSubstr("this is no HTTP/1.1"));
  EXPECT_THAT(error_of("HTTP/1.x"), HasSubstr("this is no HTTP/1.1"));
  EXPECT_THAT(error_of("\x15\x03\x01"), HasSubstr("wss://"));
  for (const auto* line : {"HTTP/1.1101\r\n", "HTTP/1.1 1a1\r\n", "HTTP/1.1 1011\r\n",
                           "HTTP/1.1 099\r\n", "HTTP/1.1 601\r\n", "HTTP/1.1  101\r\n"}) {
    EXPECT_THAT(error_of(line), HasSubstr("three digits")) << line;
  }
}

TEST(DialRefused, ByLinesThatAreNone) {
  const std::string line{"HTTP/1.1 101 Switching Protocols\r\n"};
  EXPECT_THAT(error_of("HTTP/1.1 101 Switching\n"), HasSubstr("without a carriage return"));
  EXPECT_THAT(error_of("HTTP/1.1 101 Switching\rX"), HasSubstr("without a line feed"));
  EXPECT_THAT(error_of("HTTP/1.1 101 Switch\x01ing"), HasSubstr("control byte"));
  EXPECT_THAT(error_of(line + "A: b\r\n c\r\n"), HasSubstr("begins with a blank"));
  EXPECT_THAT(error_of(line + "A: b\n"), HasSubstr("without a carriage return"));
  EXPECT_THAT(error_of(line + "A : b\r\n"), HasSubstr("before the colon"));
  EXPECT_THAT(error_of(line + "Ab\r\n"), HasSubstr("not a token"));
  EXPECT_THAT(error_of(line + ": b\r\n"), HasSubstr("not a token"));
}

TEST(DialRefused, ByHeadsBeyondTheLimits) {
  std::string head{"HTTP/1.1 101 Switching Protocols\r\n"};
  for (int i = 0; i < 100; ++i) head += "A: b\r\n";
  EXPECT_EQ(error_of(head), "it waits");
  EXPECT_THAT(error_of(head + "A: b\r\n"), HasSubstr("more than 100 header fields"));
  const std::string start{"HTTP/1.1 101 Switching Protocols\r\nA: "};
  EXPECT_EQ(error_of(start + std::string(16 * 1024 - start.size(), 'x')), "it waits");
  EXPECT_THAT(error_of(start + std::string(16 * 1024 - start.size() + 1, 'x')),
              HasSubstr("longer than 16384 bytes"));
  EXPECT_THAT(error_of("HTTP/1.1 101 " + std::string(17 * 1024, 'x')), HasSubstr("too long"));
}

// ---- Refusals

TEST(DialRefused, CarriesStatusHeadersAndBody) {
  Dialling dialling;
  dialling.dial();
  dialling.answer(
      "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"x\"\r\n"
      "Content-Length: 13\r\n\r\nwho are you?\nmore");
  EXPECT_EQ(dialling.code(), Fault::upgrade_refused);
  EXPECT_TRUE(dialling.code() == Condition::handshake_refused);
  EXPECT_THAT(dialling.error(), HasSubstr("ws://example.org/chat: 401 Unauthorized"));
  const auto refusal = dialling.refusal();
  EXPECT_EQ(refusal.status(), 401);
  EXPECT_EQ(refusal.header("www-authenticate"), "Basic realm=\"x\"");
  EXPECT_EQ(refusal.body(), "who are you?\n");
  EXPECT_EQ(dialling.response.status, 401);
}

std::string body_of(std::string_view answer, bool hang_up = true) {
  Dialling dialling;
  dialling.dial();
  dialling.answer(answer);
  if (hang_up) dialling.hang_up();
  EXPECT_EQ(dialling.code(), Fault::upgrade_refused);
  return dialling.refusal().body();
}

TEST(DialRefused, ReadsTheBodyHoweverItIsFramed) {
  EXPECT_EQ(body_of("HTTP/1.1 404 Not Found\r\nContent-Length: 3\r\n\r\nabcd", false), "abc");
  EXPECT_EQ(body_of("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", false), "");
  EXPECT_EQ(body_of("HTTP/1.1 204 No Content\r\n\r\n", false), "");
  EXPECT_EQ(body_of("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n"
                    "3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n",
                    false),
            "abcde");
  EXPECT_EQ(body_of("HTTP/1.1 404 Not Found\r\n\r\nabc"), "abc");
  EXPECT_EQ(body_of("HTTP/1.0 404 Not Found\r\n\r\nabc"), "abc");
  EXPECT_EQ(body_of("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nabc"), "abc");
  EXPECT_EQ(body_of("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", false),
            "");
}

TEST(DialRefused, ReadsAtMostOneKibibyteOfIt) {
  const auto body = std::string(1000, 'a') + std::string(100, 'b');
  const auto first = body.substr(0, 1024);
  EXPECT_EQ(body_of("HTTP/1.1 404 Not Found\r\nContent-Length: 1100\r\n\r\n" + body, false), first);
  EXPECT_EQ(body_of("HTTP/1.1 404 Not Found\r\n\r\n" + body, false), first);
  EXPECT_EQ(
      body_of("HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n44c\r\n" + body, false),
      first);
}

TEST(DialRefused, WaitsForTheBodyForTwoSecondsAtMost) {
  Dialling dialling;
  dialling.dial();
  dialling.answer("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nabc");
  dialling.loop.advance(1999ms);
  EXPECT_TRUE(dialling.is_dialling());
  dialling.loop.advance(1ms);
  EXPECT_EQ(dialling.refusal().body(), "abc");
}

TEST(DialRefused, GoesBeforeTheDeadline) {
  Dialling dialling{{.timeout = 1s}};
  dialling.dial();
  dialling.answer("HTTP/1.1 404 Not Found\r\nContent-Length: 9\r\n\r\nabc");
  dialling.loop.advance(1s);
  EXPECT_EQ(dialling.refusal().status(), 404);
}

TEST(DialRefused, EscapesWhatTheServerSays) {
  Dialling dialling;
  dialling.dial();
  dialling.answer("HTTP/1.1 404 \xc3\xa4\"\r\nContent-Length: 0\r\n\r\n");
  EXPECT_THAT(dialling.error(), HasSubstr("404 \\xc3\\xa4\\x22"));
}

// ---- Whatever comes

TEST(DialRefused, OrNotWhateverComesItEndsOrWaits) {
  int ends[3] = {};
  testing::for_each_seed(600, [&](std::uint64_t seed) {
    SeededEntropy chance{seed};
    const auto below = [&](std::size_t limit) { return chance.number() % limit; };
    Dialling dialling{{.subprotocols = {"chat"}}};
    dialling.dial();
    const char* const answers[] = {
        "HTTP/1.1 404 Not Found\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
        "HTTP/1.1 302 Found\r\nLocation: http://h/x?y#z\r\nContent-Length: 3\r\n\r\nabc"};
    auto bytes = below(2) == 0 ? dialling.switching("Sec-WebSocket-Protocol: chat\r\n") +
                                     testing::from_server(1, "hello")
                               : std::string(answers[below(2)]);
    for (auto changes = below(4); changes > 0; --changes) {
      const auto at = below(bytes.size());
      switch (below(3)) {
        case 0: bytes[at] = static_cast<char>(below(256)); break;
        case 1: bytes.erase(at, 1 + below(5)); break;
        default: bytes.insert(at, bytes.substr(below(bytes.size()), 1 + below(9))); break;
      }
    }
    for (std::string_view rest{bytes}; !rest.empty() && dialling.is_dialling();) {
      const auto size = std::min(rest.size(), 1 + below(60));
      dialling.answer(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    if (dialling.connection) {
      ++ends[0];
    } else if (dialling.failure) {
      ++ends[1];
      EXPECT_TRUE(dialling.code() == Condition::handshake_refused) << dialling.error();
    } else {
      ++ends[2];
      dialling.loop.advance(std::chrono::seconds(31));
      EXPECT_FALSE(dialling.is_dialling());
    }
  });
  for (const auto count : ends) EXPECT_GE(count, 20);
}

}  // namespace
}  // namespace hotline::websocket
