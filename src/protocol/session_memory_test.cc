#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/protocol/session.h>

#include "protocol/allocations.h"
#include "protocol/session_fixture.h"

namespace hotline::protocol {
namespace {

class Memory : public SessionTest {
 protected:
  static constexpr std::size_t block_size = 4096;

  void SetUp() override {
    limits.message_size = std::uint64_t{4} << 30;
    BodyBuffer::trim_cache();
    session.lend(block);
  }

  // As much as one prepare() takes; the rest stays in `bytes`.
  std::span<char> receive_some(std::string& bytes) {
    const std::span<char> room = session.prepare();
    EXPECT_FALSE(room.empty());
    const std::size_t size = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), size, room.begin());
    session.received(size);
    bytes.erase(0, size);
    return room;
  }

  // All of it, up to the last event.
  Event receive(std::string bytes) {
    Event last;
    while (!bytes.empty()) {
      receive_some(bytes);
      for (Event event; (event = session.next_event()).kind != EventKind::none; last = event) {
        if (bytes.empty()) return event;
      }
    }
    return last;
  }

  bool in_block(const char* at) const {
    return at >= block.data() && at < block.data() + block.size();
  }

  std::vector<char> block = std::vector<char>(block_size);
  Session session{us(), limits};
};
HOTLINE_FOR_BOTH_ROLES(Memory);

// ---- Where a message lies

TEST_P(Memory, AMessageThatFitsTheBlockIsAViewIntoIt) {
  for (const std::size_t size : {1U, 100U, 4000U, 4096U}) {
    const Event event = receive(binary(std::string(size, 'v')));
    EXPECT_EQ(written(event), "binary " + std::string(size, 'v'));
    EXPECT_TRUE(in_block(event.data.data())) << size;
    EXPECT_FALSE(session.take_message(event).owns_bytes());
  }
}

TEST_P(Memory, ALargerMessageOwnsABuffer) {
  const Event event = receive(binary(std::string(4097, 'v')));
  EXPECT_FALSE(in_block(event.data.data()));
  EXPECT_TRUE(session.take_message(event).owns_bytes());
}

TEST_P(Memory, ALargeMessageIsReceivedStraightIntoItsBuffer) {
  std::string bytes = binary(std::string(50000, 'v')) + ping();
  receive_some(bytes);
  EXPECT_EQ(session.next_event().kind, EventKind::none);
  Event event;
  for (bool direct = true; direct;) {
    direct = !in_block(receive_some(bytes).data());
    event = session.next_event();
    if (event.kind == EventKind::message) {
      EXPECT_TRUE(direct);
      break;
    }
  }
  // No more than the frame was received there: the ping is still to come.
  EXPECT_EQ(event.data.size(), 50000U);
  receive_some(bytes);
  EXPECT_EQ(session.next_event().kind, EventKind::ping);
}

TEST_P(Memory, TheBufferOfAMessageNotTakenIsReturnedWithTheNextEvent) {
  const Event event = receive(binary(std::string(100000, 'v')));
  ASSERT_EQ(event.kind, EventKind::message);
  EXPECT_EQ(BodyBuffer::cached_bytes(), 0U);
  EXPECT_EQ(session.next_event().kind, EventKind::none);
  EXPECT_EQ(BodyBuffer::cached_bytes(), 100000U);
}

TEST_P(Memory, ATakenMessageOutlivesTheSession) {
  auto other = std::make_unique<Session>(us(), limits);
  std::vector<char> its_block(256);
  other->lend(its_block);
  Message message;
  std::string bytes = text(std::string(2000, 't'));
  while (!bytes.empty()) {
    const std::span<char> room = other->prepare();
    const std::size_t size = std::min(room.size(), bytes.size());
    std::copy_n(bytes.begin(), size, room.begin());
    other->received(size);
    bytes.erase(0, size);
    const Event event = other->next_event();
    if (event.kind == EventKind::message) message = other->take_message(event);
  }
  other.reset();
  EXPECT_EQ(message.text(), std::string(2000, 't'));
}

// ---- Blocks

TEST_P(Memory, WithoutABlockOneIsWanted) {
  EXPECT_FALSE(session.wants_block());
  EXPECT_TRUE(session.has_block());
  EXPECT_EQ(session.take_back(), block.data());
  EXPECT_TRUE(session.wants_block());
  EXPECT_FALSE(session.has_block());
  EXPECT_EQ(session.take_back(), nullptr);
  EXPECT_EQ(session.next_event().kind, EventKind::none);
}

TEST_P(Memory, NoBlockIsWantedWhereALargeMessagesBufferHasRoom) {
  std::string bytes = binary(std::string(100000, 'v'));
  receive_some(bytes);
  ASSERT_EQ(session.next_event().kind, EventKind::none);
  session.take_back();
  EXPECT_TRUE(session.wants_block());  // parked, it is not grown ahead of the bytes
  session.lend(block);
  for (int i = 0; i < 2; ++i) {
    std::string part = bytes.substr(0, 5);
    EXPECT_FALSE(in_block(receive_some(part).data()));
    ASSERT_EQ(session.next_event().kind, EventKind::none);
    session.take_back();
    EXPECT_FALSE(session.wants_block());
  }
}

TEST_P(Memory, BytesAreHeldUntilAnEventAccountsForThem) {
  EXPECT_FALSE(session.holds_bytes());
  std::string bytes = text("a") + text("b") + text("c").substr(0, 1);
  receive_some(bytes);
  EXPECT_TRUE(session.holds_bytes());
  EXPECT_EQ(written(session.next_event()), "text a");
  EXPECT_EQ(written(session.next_event()), "text b");
  EXPECT_TRUE(session.holds_bytes());
  session.take_back();
  EXPECT_TRUE(session.holds_bytes());
  session.lend(block);
  EXPECT_TRUE(session.holds_bytes());
  EXPECT_EQ(written(receive(text("c").substr(1))), "text c");
  EXPECT_FALSE(session.holds_bytes());
}

TEST_P(Memory, WhatIsLeftOverIsReadFromTheNextBlock) {
  std::string bytes = text("one") + text("two") + text("three");
  receive_some(bytes);
  EXPECT_EQ(written(session.next_event()), "text one");
  session.take_back();
  std::ranges::fill(block, '#');
  session.lend(block);
  EXPECT_EQ(written(session.next_event()), "text two");
  EXPECT_EQ(written(session.next_event()), "text three");
}

TEST_P(Memory, WhatIsLeftOverMayBeMoreThanTheNextBlockHolds) {
  std::string bytes;
  for (int i = 0; i < 300; ++i) bytes += text(std::to_string(i));
  bytes += text("the last one");
  receive_some(bytes);
  ASSERT_TRUE(bytes.empty());
  session.take_back();
  std::vector<char> smaller(256);
  session.lend(smaller);
  for (int i = 0; i < 300; ++i) {
    ASSERT_EQ(written(session.next_event()), "text " + std::to_string(i));
    if (i % 50 == 0) {
      session.take_back();
      session.lend(smaller);
    }
  }
  EXPECT_EQ(written(session.next_event()), "text the last one");
  EXPECT_EQ(session.next_event().kind, EventKind::none);
  EXPECT_FALSE(session.prepare().empty());
}

TEST_P(Memory, TakingABlockBackLeavesItsBytesAlone) {
  std::string bytes = text("in hand") + ping("p") + text("half").substr(0, 8);
  receive_some(bytes);
  const Event event = session.next_event();
  const Message message = session.take_message(event);
  EXPECT_EQ(written(session.next_event()), "ping p");
  EXPECT_EQ(session.take_back(), block.data());
  EXPECT_EQ(message.text(), "in hand");
}

TEST_P(Memory, AMessageInHandSurvivesReceivingBehindIt) {
  std::string bytes = text("in hand");
  receive_some(bytes);
  const Message message = session.take_message(session.next_event());
  const std::string more = ping(std::string(100, 'p'));
  std::size_t pings = 0;
  while (true) {
    const std::span<char> room = session.prepare_behind();
    if (room.size() < more.size()) break;
    std::ranges::copy(more, room.begin());
    session.received(more.size());
    ASSERT_EQ(session.next_event().kind, EventKind::ping);
    ASSERT_EQ(session.next_event().kind, EventKind::none);
    ASSERT_EQ(message.text(), "in hand");
    ++pings;
  }
  EXPECT_EQ(pings, (block_size - text("in hand").size()) / more.size());
  // The block is full: another one, while this one is kept as it is.
  EXPECT_EQ(session.take_back(), block.data());
  EXPECT_TRUE(session.prepare_behind().empty());
  std::vector<char> another(block_size);
  session.lend(another);
  const std::span<char> room = session.prepare_behind();
  std::ranges::copy(more, room.begin());
  session.received(more.size());
  EXPECT_EQ(session.next_event().kind, EventKind::ping);
  EXPECT_EQ(message.text(), "in hand");
}

TEST_P(Memory, RoomIsMadeForAFrameThatBeginsLateInTheBlock) {
  std::string bytes = binary(std::string(3000, 'a')) + binary(std::string(3900, 'b'));
  receive_some(bytes);
  ASSERT_EQ(session.next_event().kind, EventKind::message);
  ASSERT_EQ(session.next_event().kind, EventKind::none);
  receive_some(bytes);
  EXPECT_TRUE(bytes.empty());
  const Event event = session.next_event();
  EXPECT_EQ(written(event), "binary " + std::string(3900, 'b'));
  EXPECT_TRUE(in_block(event.data.data()));
}

TEST_P(Memory, AfterAFailureThereIsRoomToDropInto) {
  receive(last("fails"));
  for (int i = 0; i < 10; ++i) {
    std::string bytes(10000, 'x');
    receive_some(bytes);
    EXPECT_EQ(session.next_event().kind, EventKind::none);
    EXPECT_FALSE(session.holds_bytes());
  }
  session.take_back();
  EXPECT_TRUE(session.wants_block());
}

// ---- Allocations

TEST_P(Memory, MessagesInTheBlockAllocateNothing) {
  const std::string bytes = text("Hello") + ping("x") + binary(std::string(1000, 'b'));
  const auto once = [&] {
    std::ranges::copy(bytes, session.prepare().begin());
    session.received(bytes.size());
    for (int i = 0; i < 3; ++i) {
      const Event event = session.next_event();
      ASSERT_NE(event.kind, EventKind::none);
      if (event.kind == EventKind::message) {
        ASSERT_FALSE(session.take_message(event).empty());
      }
    }
    ASSERT_EQ(session.next_event().kind, EventKind::none);
  };
  Allocations watched;
  for (int i = 0; i < 100; ++i) once();
  EXPECT_EQ(watched.count(), 0U);
}

TEST_P(Memory, InTheSteadyStateNoMessageAllocates) {
  const std::string small = begin_text("Hel") + more("lo, ") + last("you");
  const std::string medium = begin_binary(std::string(3000, 'm')) + last(std::string(3000, 'm'));
  const std::string large = binary(std::string(1 << 20, 'l'));
  const auto once = [&](std::string_view bytes) {
    while (!bytes.empty()) {
      const std::span<char> room = session.prepare();
      const std::size_t size = std::min(room.size(), bytes.size());
      std::copy_n(bytes.begin(), size, room.begin());
      session.received(size);
      bytes.remove_prefix(size);
      while (session.next_event().kind != EventKind::none) continue;
    }
  };
  for (const std::string& bytes : {small, medium, large}) once(bytes);
  Allocations watched;
  for (int i = 0; i < 10; ++i) {
    for (const std::string* bytes : {&small, &medium, &large}) once(*bytes);
  }
  EXPECT_EQ(watched.count(), 0U);
}

TEST_P(Memory, NothingIsAllocatedForADeclaredLength) {
  using namespace std::string_view_literals;
  std::string bytes = header(0x82, 127, "\0\0\0\0\xF0\0\0\0"sv) + std::string(1000, 'x');
  Allocations watched;
  receive_some(bytes);
  EXPECT_EQ(session.next_event().kind, EventKind::none);
  EXPECT_FALSE(session.prepare().empty());
  EXPECT_LE(watched.largest(), 12000U);
  for (std::size_t received = 1000; received < 1'000'000;) {
    std::string part(777, 'x');
    receive_some(part);
    received += 777 - part.size();
    ASSERT_EQ(session.next_event().kind, EventKind::none);
    ASSERT_LE(watched.largest(), 2 * received + 2 * 4096 + 64);
  }
}

TEST_P(Memory, ParkingAfterEachByteAllocatesInProportionToTheMessage) {
  const std::string bytes = text(std::string(4000, 't')) + ping("p") +
                            text(std::string(9000, 't')) + begin_text(std::string(9000, 't')) +
                            more(std::string(9000, 't'));
  std::size_t events = 0;
  Allocations watched;
  for (const char byte : bytes) {
    if (session.wants_block()) session.lend(block);
    session.prepare()[0] = byte;
    session.received(1);
    while (session.next_event().kind != EventKind::none) ++events;
    session.take_back();
  }
  EXPECT_EQ(events, 3U);
  // Twice for doubling, and for each header (and the ping) what was there of it, again and again.
  EXPECT_LE(watched.bytes(), 3 * bytes.size() + 5 * 400);
}

TEST_P(Memory, WithoutMemoryALargeMessageFails) {
  if (!Allocations::can_fail()) GTEST_SKIP() << "the allocator is the sanitizer's";
  std::string bytes = binary(std::string(50000, 'v'));
  Allocations watched;
  watched.fail(true);
  Event event;
  while (event.kind == EventKind::none) {
    std::string part = bytes.substr(0, 10);  // small enough to need no memory itself
    bytes.erase(0, 10);
    receive_some(part);
    event = session.next_event();
  }
  watched.fail(false);
  EXPECT_EQ(written(event), "failure 1009");
}

TEST_P(Memory, WithoutMemoryParkingWithinAFrameFails) {
  if (!Allocations::can_fail()) GTEST_SKIP() << "the allocator is the sanitizer's";
  for (const std::size_t size : {1U, 10U}) {  // within the header, and within the payload
    Session other{us(), limits};
    other.lend(block);
    const std::string bytes = text("Hello you").substr(0, size);
    std::ranges::copy(bytes, other.prepare().begin());
    other.received(bytes.size());
    EXPECT_EQ(other.next_event().kind, EventKind::none);
    Allocations watched;
    watched.fail(true);
    other.take_back();
    watched.fail(false);
    other.lend(block);
    EXPECT_EQ(written(other.next_event()), "failure 1009");
  }
}

}  // namespace
}  // namespace hotline::protocol
