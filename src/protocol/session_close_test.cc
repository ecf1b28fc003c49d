#include <string>

#include <gtest/gtest.h>

#include <hotline/protocol/session.h>

#include "protocol/session_fixture.h"

namespace hotline::protocol {
namespace {

class Closing : public SessionTest {
 protected:
  std::string close_frame(Session& session, CloseCode code, std::string_view reason = {}) {
    char out[Session::max_close_frame_size];
    const std::size_t size = session.close_frame(code, reason, out, MaskingKey{1, 2, 3, 4});
    return std::string(out, size);
  }

  // The reader of a peer to what we send.
  Events read_by_peer(const std::string& bytes) {
    Endpoint other{peer(), limits, {.name = "", .chunk = 1000, .block = 1024}};
    return other.receive(bytes);
  }

  // Some bytes arrive, we close, the others arrive.
  void expect_after_closing(const std::string& before, const std::string& after, Events events) {
    for (std::size_t early = 0; early <= after.size(); early += after.size() < 40 ? 1 : 997) {
      for (Delivery delivery : deliveries(1)) {
        Endpoint endpoint{us(), limits, delivery};
        Events seen = endpoint.receive(before + after.substr(0, early));
        const bool dropped = seen.empty();
        close_frame(endpoint.session(), CloseCode::normal);
        for (auto& event : endpoint.receive(after.substr(early))) seen.push_back(event);
        for (auto& event : endpoint.end()) seen.push_back(event);
        Events expected = events;
        expected.push_back("ended");
        if (dropped) {
          EXPECT_EQ(seen, expected) << delivery.name << ", " << early << " bytes early";
        }
      }
    }
  }
};
HOTLINE_FOR_BOTH_ROLES(Closing);

// ---- The peer closes (5.5.1, 7.4)

TEST_P(Closing, APeersCloseIsAnEventWithCodeAndReason) {
  expect(close(), {"close 1005 "});
  expect(close(1000), {"close 1000 "});
  expect(close(1001, "gone fishing"), {"close 1001 gone fishing"});
  expect(close(4999, std::string(123, 'r')), {"close 4999 " + std::string(123, 'r')});
}

TEST_P(Closing, HalfACloseCodeFails) { expect(frame(Opcode::close, "\x03"), {"failure 1002"}); }

TEST_P(Closing, EachCodeIsGoodOrFails) {
  for (int code = 0; code < 65536; code += code < 1020 || code >= 5001 ? 1 : 7) {
    const bool good = (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
                      (code >= 3000 && code <= 4999);
    Endpoint endpoint{us(), limits, {.name = "", .chunk = 200, .block = 256}};
    const Events events = endpoint.receive(close(static_cast<std::uint16_t>(code)));
    ASSERT_EQ(events, Events{good ? "close " + std::to_string(code) + " " : "failure 1002"});
    if (code > 5100) code += 500;
  }
}

TEST_P(Closing, AReasonMustBeUtf8) {
  expect(close(1000, "\xE2\x82\xAC"), {"close 1000 \xE2\x82\xAC"});
  expect(close(1000, "\xE2\x82"), {"failure 1007"});
  expect(close(1000, "\xED\xA0\x80"), {"failure 1007"});
}

TEST_P(Closing, AfterThePeersCloseNothingIsRead) {
  expect(close(1000) + text("late") + ping() + close(1001), {"close 1000 "});
  expect(close(1000) + std::string(100000, '\xFF'), {"close 1000 "});
}

TEST_P(Closing, ThePeerMayCloseWithinAMessage) {
  expect(begin_text("not to be") + close(1001, "bye") + last("finished"), {"close 1001 bye"});
}

TEST_P(Closing, ThePeersCloseIsRemembered) {
  Endpoint endpoint{us(), limits, {.name = "", .chunk = 100, .block = 256}};
  EXPECT_FALSE(endpoint.session().close_received());
  endpoint.receive(close(1000));
  EXPECT_TRUE(endpoint.session().close_received());
  EXPECT_FALSE(endpoint.session().failed());
  EXPECT_FALSE(endpoint.session().close_sent());
}

// ---- We close

TEST_P(Closing, OurCloseIsReadByThePeer) {
  const auto read_back = [&](CloseCode code, std::string_view reason) {
    Session session{us(), limits};
    return read_by_peer(close_frame(session, code, reason));
  };
  EXPECT_EQ(read_back(CloseCode::normal, "bye"), Events{"close 1000 bye"});
  EXPECT_EQ(read_back(CloseCode::no_status, "not sent"), Events{"close 1005 "});
  EXPECT_EQ(read_back(CloseCode{3456}, ""), Events{"close 3456 "});
  EXPECT_EQ(read_back(CloseCode::normal, std::string(123, 'r')),
            Events{"close 1000 " + std::string(123, 'r')});
}

TEST_P(Closing, AReasonIsCutAtACodePoint) {
  const auto read_back = [&](std::string_view reason) {
    Session session{us(), limits};
    return read_by_peer(close_frame(session, CloseCode::normal, reason));
  };
  const std::string most(123, 'r');
  EXPECT_EQ(read_back(most + "r"), Events{"close 1000 " + most});
  EXPECT_EQ(read_back(most.substr(0, 122) + "\xC3\xA9"),
            Events{"close 1000 " + most.substr(0, 122)});
  EXPECT_EQ(read_back(most.substr(0, 121) + "\xC3\xA9"),
            Events{"close 1000 " + most.substr(0, 121) + "\xC3\xA9"});
  EXPECT_EQ(read_back("good\xFF"
                      "bad"),
            Events{"close 1000 good"});
}

TEST_P(Closing, ACodeThatMayNotBeSentIsNotSent) {
  Session session{us(), limits};
  for (const int code : {0, 999, 1004, 1006, 1015, 1016, 2999, 5000, 65535}) {
    EXPECT_EQ(close_frame(session, static_cast<CloseCode>(code)), "") << code;
  }
  EXPECT_EQ(close_frame(session, CloseCode::mandatory_extension).empty(), us() == Role::server);
  EXPECT_EQ(session.close_sent(), us() == Role::client);
}

TEST_P(Closing, OneCloseIsSentAtMost) {
  Session session{us(), limits};
  EXPECT_NE(close_frame(session, CloseCode::normal), "");
  EXPECT_TRUE(session.close_sent());
  EXPECT_EQ(close_frame(session, CloseCode::normal), "");
}

TEST_P(Closing, AfterOurCloseNothingElseIsSent) {
  Session session{us(), limits};
  char out[max_frame_header_size];
  EXPECT_NE(session.frame_header(Opcode::text, 5, out), 0U);
  close_frame(session, CloseCode::normal);
  EXPECT_EQ(session.frame_header(Opcode::text, 5, out), 0U);
  EXPECT_EQ(session.frame_header(Opcode::pong, 5, out), 0U);
}

TEST_P(Closing, AfterOurCloseMessagesAndPingsAreDroppedAndThePeersCloseIsReported) {
  expect_after_closing("", text("late") + close(1000, "bye"), {"close 1000 bye"});
  expect_after_closing("", begin_text("a") + ping("b") + last("c") + close(), {"close 1005 "});
  expect_after_closing("", binary(std::string(5000, 'x')) + close(), {"close 1005 "});
  expect_after_closing("", text("\xFF") + close(), {"close 1005 "});
  expect_after_closing(begin_text("a"), more("b") + last("c") + text("d") + close(),
                       {"close 1005 "});
}

TEST_P(Closing, AfterOurCloseLimitsBindNoMore) {
  limits = {.message_size = 10, .fragments = 2};
  expect_after_closing("", begin_text("a") + more("b") + last(std::string(100, 'c')) + close(),
                       {"close 1005 "});
}

TEST_P(Closing, AfterOurCloseThePeerMayStillFail) {
  expect_after_closing("", text("late") + last("a"), {"failure 1002"});
}

TEST_P(Closing, BothMayCloseAtOnce) {
  Endpoint endpoint{us(), limits, {.name = "", .chunk = 100, .block = 256}};
  const std::string ours = close_frame(endpoint.session(), CloseCode::going_away);
  EXPECT_EQ(endpoint.receive(close(1000)), Events{"close 1000 "});
  EXPECT_TRUE(endpoint.session().close_sent());
  EXPECT_TRUE(endpoint.session().close_received());
  EXPECT_EQ(close_frame(endpoint.session(), CloseCode::normal), "");
  EXPECT_EQ(read_by_peer(ours), Events{"close 1001 "});
}

TEST_P(Closing, AMessageInHandSurvivesOurClose) {
  for (const std::size_t size : {10U, 100000U}) {
    limits.message_size = 1 << 20;
    std::vector<char> block(1024);
    Session session{us(), limits};
    session.lend(block);
    std::string bytes = text(std::string(size, 'm'));
    Event event;
    while (!bytes.empty()) {
      const std::span<char> room = session.prepare();
      const std::size_t part = std::min(room.size(), bytes.size());
      std::copy_n(bytes.begin(), part, room.begin());
      session.received(part);
      bytes.erase(0, part);
      event = session.next_event();
    }
    close_frame(session, CloseCode::normal);
    EXPECT_EQ(written(event), "text " + std::string(size, 'm'));
  }
}

TEST_P(Closing, AFailureIsAnsweredWithItsCode) {
  Endpoint endpoint{us(), limits, {.name = "", .chunk = 100, .block = 256}};
  endpoint.receive(text("\xFF"));
  EXPECT_EQ(read_by_peer(close_frame(endpoint.session(), CloseCode::invalid_payload)),
            Events{"close 1007 "});
}

}  // namespace
}  // namespace hotline::protocol
