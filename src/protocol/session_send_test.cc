#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <hotline/protocol/session.h>

#include "protocol/mask.h"
#include "protocol/session_fixture.h"

namespace hotline::protocol {
namespace {

using namespace std::string_view_literals;

constexpr MaskingKey key{0x37, 0xFA, 0x21, 0x3D};  // that of RFC 6455, 5.7

class Sending : public SessionTest {
 protected:
  std::string sent(Opcode opcode, std::string payload, bool fin = true) {
    char out[max_frame_header_size];
    const std::size_t size = fin ? session.frame_header(opcode, payload.size(), out, key)
                                 : session.fragment_header(opcode, false, payload.size(), out, key);
    if (us() == Role::client) mask(payload, key);
    return std::string(out, size) + payload;
  }

  std::string header_for(Opcode opcode, std::size_t size) {
    char out[max_frame_header_size];
    return std::string(out, session.frame_header(opcode, size, out, key));
  }

  Events read_by_peer(const std::string& bytes) {
    Endpoint other{peer(), limits, {.name = "", .chunk = bytes.size(), .block = 4096}};
    return other.receive(bytes);
  }

  Session session{us(), limits};
};
HOTLINE_FOR_BOTH_ROLES(Sending);

TEST_P(Sending, ExamplesOfTheRfcComeOutByteForByte) {
  if (us() == Role::server) {
    EXPECT_EQ(sent(Opcode::text, "Hello"), "\x81\x05Hello"sv);
    EXPECT_EQ(sent(Opcode::text, "Hel", false) + sent(Opcode::continuation, "lo"),
              "\x01\x03Hel\x80\x02lo"sv);
    EXPECT_EQ(sent(Opcode::ping, "Hello"), "\x89\x05Hello"sv);
    EXPECT_EQ(header_for(Opcode::binary, 256), "\x82\x7E\x01\x00"sv);
    EXPECT_EQ(header_for(Opcode::binary, 65536), "\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"sv);
  } else {
    EXPECT_EQ(sent(Opcode::text, "Hello"), "\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"sv);
    EXPECT_EQ(sent(Opcode::pong, "Hello"), "\x8A\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58"sv);
  }
}

TEST_P(Sending, ExamplesOfTheRfcAreRead) {
  if (us() == Role::server) {
    expect("\x81\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58", {"text Hello"});
    expect("\x8A\x85\x37\xFA\x21\x3D\x7F\x9F\x4D\x51\x58", {"pong Hello"});
  } else {
    expect("\x81\x05Hello", {"text Hello"});
    expect("\x01\x03Hel\x80\x02lo", {"text Hello"});
    expect("\x89\x05Hello", {"ping Hello"});
    expect(std::string{"\x82\x7E\x01\x00"sv} + std::string(256, 'b'),
           {"binary " + std::string(256, 'b')});
    expect(std::string{"\x82\x7F\x00\x00\x00\x00\x00\x01\x00\x00"sv} + std::string(65536, 'b'),
           {"binary " + std::string(65536, 'b')});
  }
}

TEST_P(Sending, ThePeerReadsWhatIsSentInEveryLengthForm) {
  for (const std::size_t size : {0, 1, 125, 126, 127, 65535, 65536, 100000}) {
    const std::string payload(size, 's');
    EXPECT_EQ(read_by_peer(sent(Opcode::text, payload)), Events{"text " + payload});
    EXPECT_EQ(read_by_peer(sent(Opcode::binary, payload)), Events{"binary " + payload});
  }
}

TEST_P(Sending, ThePeerReadsFragmentsAndControlFrames) {
  EXPECT_EQ(read_by_peer(sent(Opcode::text, "a", false) + sent(Opcode::ping, "p") +
                         sent(Opcode::continuation, "b", false) + sent(Opcode::pong, "q") +
                         sent(Opcode::continuation, "c")),
            (Events{"ping p", "pong q", "text abc"}));
}

TEST_P(Sending, TheLongestHeaderFits) {
  const std::string header = header_for(Opcode::binary, std::size_t{1} << 62);
  EXPECT_EQ(header.size(), us() == Role::client ? 14U : 10U);
}

TEST_P(Sending, WhatAControlFrameMayNotBeIsNotSent) {
  char out[max_frame_header_size];
  EXPECT_NE(session.frame_header(Opcode::ping, 125, out), 0U);
  EXPECT_EQ(session.frame_header(Opcode::ping, 126, out), 0U);
  EXPECT_EQ(session.fragment_header(Opcode::pong, false, 5, out), 0U);
  EXPECT_EQ(session.frame_header(Opcode::close, 2, out), 0U);
}

TEST_P(Sending, AMessageIsUnderWayFromItsFirstFrameToItsLast) {
  Endpoint endpoint{us(), limits, {.name = "", .chunk = 1000, .block = 1024, .parks = true}};
  const Session& receiver = endpoint.session();
  const auto under_way_after = [&](const std::string& bytes) {
    endpoint.receive(bytes);
    return receiver.message_under_way();
  };
  EXPECT_FALSE(receiver.message_under_way());
  EXPECT_FALSE(under_way_after(text("whole")));
  const std::string halves = text("in two halves");
  EXPECT_TRUE(under_way_after(halves.substr(0, 9)));
  EXPECT_FALSE(under_way_after(halves.substr(9)));
  EXPECT_TRUE(under_way_after(begin_text("a")));
  EXPECT_TRUE(under_way_after(ping()));
  EXPECT_FALSE(under_way_after(last("b")));
  EXPECT_TRUE(under_way_after(begin_text("a")));
  EXPECT_FALSE(under_way_after(text("fails")));
}

TEST_P(Sending, ASessionKnowsItsRole) { EXPECT_EQ(session.role(), us()); }

}  // namespace
}  // namespace hotline::protocol
