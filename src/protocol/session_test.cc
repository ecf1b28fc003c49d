#include <hotline/protocol/session.h>

#include <string>

#include <gtest/gtest.h>

#include "protocol/session_fixture.h"

namespace hotline::protocol {
namespace {

using Receiving = SessionTest;
HOTLINE_FOR_BOTH_ROLES(Receiving);

// ---- Messages

TEST_P(Receiving, NothingCausesNothing) { expect("", {}); }

TEST_P(Receiving, AFrameIsAMessage) {
  expect(text("Hello"), {"text Hello"});
  expect(binary("Hello"), {"binary Hello"});
}

TEST_P(Receiving, AMessageMayBeEmpty) { expect(text("") + binary(""), {"text ", "binary "}); }

TEST_P(Receiving, MessagesComeInTheirOrder) {
  expect(text("one") + binary("two") + text("three"), {"text one", "binary two", "text three"});
}

TEST_P(Receiving, EveryLengthFormIsRead) {
  for (const std::size_t size : {0, 1, 125, 126, 127, 255, 256, 65535, 65536, 65537, 200000}) {
    const std::string payload(size, 'x');
    expect(binary(payload) + text(payload), {"binary " + payload, "text " + payload});
  }
}

TEST_P(Receiving, ManySmallMessagesFillABlockManyTimes) {
  std::string bytes;
  Events events;
  for (int i = 0; i < 1500; ++i) {
    const std::string payload(static_cast<std::size_t>(i % 130), static_cast<char>('a' + i % 26));
    bytes += text(payload);
    events.push_back("text " + payload);
  }
  expect(bytes, events);
}

// ---- Fragments (5.4)

TEST_P(Receiving, FragmentsMakeAMessage) {
  expect(begin_text("Hel") + last("lo"), {"text Hello"});
  expect(begin_binary("a") + more("b") + more("c") + last("d"), {"binary abcd"});
}

TEST_P(Receiving, FragmentsMayBeEmpty) {
  expect(begin_text("") + last(""), {"text "});
  expect(begin_text("") + more("a") + more("") + last("") + text("b"), {"text a", "text b"});
}

TEST_P(Receiving, ControlFramesComeBetweenFragmentsAndBeforeTheMessage) {
  expect(begin_text("a") + ping("1") + more("b") + pong("2") + ping("3") + last("c"),
         {"ping 1", "pong 2", "ping 3", "text abc"});
}

TEST_P(Receiving, LargeAndSmallFragmentsMix) {
  const std::string large(70000, 'L');
  const std::string huge(150000, 'H');
  expect(begin_binary("s") + more(large) + ping() + more("s") + last(huge) + text("next"),
         {"ping ", "binary s" + large + "s" + huge, "text next"});
}

TEST_P(Receiving, AContinuationOfNothingFails) {
  expect(last("a"), {"failure 1002"});
  expect(more("a"), {"failure 1002"});
  expect(text("a") + last("b"), {"text a", "failure 1002"});
  expect(begin_text("a") + last("b") + last("c"), {"text ab", "failure 1002"});
}

TEST_P(Receiving, AMessageWithinAMessageFails) {
  expect(begin_text("a") + text("b"), {"failure 1002"});
  expect(begin_text("a") + begin_text("b"), {"failure 1002"});
  expect(begin_text("a") + more("b") + binary("c"), {"failure 1002"});
}

// ---- Control frames (5.5)

TEST_P(Receiving, PingsAndPongsCarryUpTo125Bytes) {
  const std::string most(125, 'p');
  expect(ping() + ping("x") + ping(most), {"ping ", "ping x", "ping " + most});
  expect(pong() + pong("x") + pong(most), {"pong ", "pong x", "pong " + most});
}

TEST_P(Receiving, AControlFrameOver125BytesFails) {
  for (const Opcode opcode : {Opcode::ping, Opcode::pong, Opcode::close}) {
    expect(frame(opcode, std::string(126, 'p')), {"failure 1002"});
    expect(frame(opcode, std::string(70000, 'p')), {"failure 1002"});
  }
}

TEST_P(Receiving, AFragmentedControlFrameFails) {
  for (const Opcode opcode : {Opcode::ping, Opcode::pong, Opcode::close}) {
    expect(frame(opcode, "a", false), {"failure 1002"});
    expect(begin_text("a") + frame(opcode, "", false), {"failure 1002"});
  }
}

// ---- Headers (5.1, 5.2)

TEST_P(Receiving, AReservedBitFails) {
  for (const int bit : {0x40, 0x20, 0x10, 0x70}) {
    for (const int opcode : {1, 2, 8, 9, 10})
      expect(header(0x80 | bit | opcode, 0), {"failure 1002"});
    expect(begin_text("a") + header(0x80 | bit, 0), {"failure 1002"});
  }
}

TEST_P(Receiving, AReservedOpcodeFails) {
  for (const int opcode : {3, 4, 5, 6, 7, 11, 12, 13, 14, 15}) {
    expect(header(0x80 | opcode, 0), {"failure 1002"});
    expect(header(opcode, 0), {"failure 1002"});
    expect(begin_text("a") + header(0x80 | opcode, 0), {"failure 1002"});
  }
}

TEST_P(Receiving, TheWrongMaskingFails) {
  const int wrong = us() == Role::server ? 0 : 0x80;
  for (const int first : {0x81, 0x82, 0x88, 0x89, 0x8A}) {
    const std::string bytes{static_cast<char>(first), static_cast<char>(wrong)};
    expect(bytes, {"failure 1002"});
    expect(bytes + std::string(10, '\0'), {"failure 1002"});
  }
}

TEST_P(Receiving, ALengthNotInItsShortestFormFails) {
  using namespace std::string_view_literals;
  expect(header(0x82, 126, "\x00\x7D"sv), {"failure 1002"});
  expect(header(0x82, 126, "\x00\x00"sv), {"failure 1002"});
  expect(header(0x82, 127, "\x00\x00\x00\x00\x00\x00\x00\x05"sv), {"failure 1002"});
  expect(header(0x82, 127, "\x00\x00\x00\x00\x00\x00\xFF\xFF"sv), {"failure 1002"});
}

TEST_P(Receiving, ALengthWithItsHighestBitSetFails) {
  using namespace std::string_view_literals;
  limits.message_size = ~std::uint64_t{0};
  expect(header(0x82, 127, "\x80\x00\x00\x00\x00\x00\x00\x00"sv), {"failure 1002"});
  expect(header(0x82, 127, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv), {"failure 1002"});
}

TEST_P(Receiving, ARuleIsAppliedAsSoonAsItsBytesAreHere) {
  using namespace std::string_view_literals;
  expect_failure_at(2, header(0x83, 0), 1002);
  expect_failure_at(2, header(0xC1, 5), 1002);
  expect_failure_at(2, header(0x09, 5), 1002);
  expect_failure_at(2, header(0x89, 126, "\x00\x7E"sv), 1002);
  expect_failure_at(4, header(0x82, 126, "\x00\x7D"sv), 1002);
  expect_failure_at(10, header(0x82, 127, "\x80\x00\x00\x00\x00\x00\x00\x00"sv), 1002);
}

// ---- UTF-8 (8.1)

TEST_P(Receiving, ATextMustBeUtf8AndABinaryNeedNot) {
  expect(text("\xFF"), {"failure 1007"});
  expect(binary("\xFF"), {"binary \xFF"});
  expect(text("\xE2\x82\xAC") + text("\xE2\x82"), {"text \xE2\x82\xAC", "failure 1007"});
  expect(begin_binary("\xE2\x82") + last("\xFF"), {"binary \xE2\x82\xFF"});
}

TEST_P(Receiving, ACodePointMayBeCutByFragments) {
  expect(begin_text("\xF0\x9F") + ping("\xFF") + more("\x98") + more("") + last("\x80!"),
         {"ping \xFF", "text \xF0\x9F\x98\x80!"});
}

TEST_P(Receiving, ATextMayNotEndWithinACodePoint) {
  expect(text("abc\xC3"), {"failure 1007"});
  expect(begin_text("\xE2\x82") + last(""), {"failure 1007"});
  expect(begin_text("\xE2") + more("\x82") + last("a"), {"failure 1007"});
}

TEST_P(Receiving, TheFirstBadByteFails) {
  const std::size_t header_size = us() == Role::server ? 6 : 2;
  const auto at = [&](const std::string& before, const std::string& bad) {
    // In an unfinished frame, and in an unfinished message.
    const std::size_t size = header_size + before.size() + bad.size();
    expect_failure_at(size, text(before + bad + "not read any more"), 1007);
    expect_failure_at(size, begin_text(before + bad + "not read any more"), 1007);
    expect_failure_at(header_size + before.size() + header_size + bad.size(),
                      begin_text(before) + more(bad + "not read any more"), 1007);
  };
  for (const std::string before :
       {"", "a", "\xCE\xBA", "more than one vector: \xCE\xBA\xE1\xBD\xB9"}) {
    for (const std::string bad : {"\x80",
                                  "\xBF",
                                  "\xC0",
                                  "\xC1",
                                  "\xF5",
                                  "\xFE",
                                  "\xFF",
                                  "\xC3\x28",
                                  "\xE0\x80",
                                  "\xE0\x9F",
                                  "\xED\xA0",
                                  "\xED\xBF",
                                  "\xF0\x80",
                                  "\xF0\x8F",
                                  "\xF4\x90",
                                  "\xE2\x28",
                                  "\xE2\x82\x28",
                                  "\xF0\x9F\x28",
                                  "\xF0\x9F\x98\x28",
                                  "\xF0\x9F\x98\xC3"}) {
      at(before, bad);
    }
  }
}

TEST_P(Receiving, TheFirstBadByteFailsAcrossFragments) {
  const std::size_t header_size = us() == Role::server ? 6 : 2;
  expect_failure_at(2 * header_size + 2, begin_text("\xF4") + more("\x90\x80\x80"), 1007);
  expect_failure_at(2 * header_size + 2, begin_text("\xED") + more("\xA0\x80"), 1007);
  expect_failure_at(3 * header_size + 3, begin_text("\xF0") + more("\x9F") + last("\xC0..."), 1007);
}

TEST_P(Receiving, LongTextsAreValidatedToo) {
  std::string good;
  while (good.size() < 180000) good += "\xC3\xA9\xE2\x82\xAC\xF0\x9F\x98\x80-";
  expect(text(good), {"text " + good});
  expect(begin_text(good.substr(0, 70001)) + last(good.substr(70001)), {"text " + good});
  std::string bad = good;
  bad[150000] = '\xFF';
  expect(text(bad), {"failure 1007"});
  expect(begin_text(bad.substr(0, 99999)) + last(bad.substr(99999)), {"failure 1007"});
}

// ---- Limits

TEST_P(Receiving, AMessageMayBeAsLargeAsTheLimit) {
  limits.message_size = 10;
  const std::string most(10, 'm');
  expect(text(most), {"text " + most});
  expect(begin_text("12345") + more("67890") + last(""), {"text 1234567890"});
}

TEST_P(Receiving, ALargerMessageFails) {
  limits.message_size = 10;
  expect(text(std::string(11, 'm')), {"failure 1009"});
  expect(begin_text("12345") + more("67890") + last("1"), {"failure 1009"});
  expect(begin_text(std::string(200000, 'm')), {"failure 1009"});
}

TEST_P(Receiving, ADeclaredLengthOverTheLimitFailsAtOnce) {
  using namespace std::string_view_literals;
  limits.message_size = 1000;
  expect_failure_at(4, header(0x82, 126, "\x03\xE9"sv), 1009);
  expect_failure_at(10, header(0x82, 127, "\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF"sv), 1009);
  const std::string before = begin_text(std::string(900, 'm'));
  expect_failure_at(before.size() + 2, before + header(0x00, 101), 1009);
}

TEST_P(Receiving, TheFragmentsOfAMessageAreCounted) {
  limits.fragments = 3;
  expect(begin_text("a") + more("b") + last("c") + begin_text("d") + last("e"),
         {"text abc", "text de"});
  expect(begin_text("a") + more("") + more("") + last(""), {"failure 1008"});
  expect(begin_text("a") + ping() + ping() + ping() + more("b") + last("c"),
         {"ping ", "ping ", "ping ", "text abc"});
}

// ---- After the end

TEST_P(Receiving, AfterAFailureNothingIsRead) {
  expect(last("a") + text("b") + ping("c") + close(1000), {"failure 1002"});
}

TEST_P(Receiving, AStreamMayEndAnywhere) {
  const std::string bytes = begin_text("ab") + last(std::string(300, 'c'));
  for (const std::size_t size : {1U, 2U, 3U, 7U, 10U, 20U, 100U}) expect(bytes.substr(0, size), {});
}

}  // namespace
}  // namespace hotline::protocol
