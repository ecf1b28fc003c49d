#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/protocol/session.h>

#include "protocol/session_memory_fixture.h"

namespace hotline::protocol {
namespace {

using Memory = SessionMemoryTest;
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

TEST_P(Memory, WhatIsLeftOverOfALargeMessageComesBeforeWhatIsReceived) {
  const std::string payload =
      std::string(20000, '1') + std::string(1000, '2') + std::string(500, '3');
  const std::string bytes = binary(payload);
  ASSERT_EQ(receive(bytes.substr(0, bytes.size() - 1500)).kind, EventKind::none);
  std::string part = bytes.substr(bytes.size() - 1500, 1000);
  EXPECT_TRUE(in_block(receive_some(part).data()));
  // Nobody looks at these bytes, and they go from block to block.
  session.take_back();
  std::vector<char> smaller(512);
  session.lend(smaller);
  session.take_back();
  EXPECT_TRUE(session.wants_block());
  std::vector<char> larger(1030);
  session.lend(larger);
  part = bytes.substr(bytes.size() - 500, 10);
  receive_some(part);
  EXPECT_EQ(written(receive(bytes.substr(bytes.size() - 490))), "binary " + payload);
}

TEST_P(Memory, SeveralPartsMayBeReceivedBeforeEventsAreAskedFor) {
  std::string bytes = binary(std::string(50000, 'v'));
  receive_some(bytes);
  ASSERT_EQ(session.next_event().kind, EventKind::none);
  for (int i = 0; i < 4; ++i) {
    std::string part = bytes.substr(0, 900);
    bytes.erase(0, 900);
    EXPECT_FALSE(in_block(receive_some(part).data()));
  }
  ASSERT_EQ(session.next_event().kind, EventKind::none);
  EXPECT_EQ(written(receive(bytes)), "binary " + std::string(50000, 'v'));

  bytes = text("one") + text("two");
  for (const char byte : bytes) {
    session.prepare()[0] = byte;
    session.received(1);
  }
  EXPECT_EQ(written(session.next_event()), "text one");
  EXPECT_EQ(written(session.next_event()), "text two");
}

TEST_P(Memory, BytesNobodyLookedAtAreDroppedWithTheirMessageWhenWeClose) {
  std::string bytes = binary(std::string(50000, 'v')) + close(1000, "bye");
  for (int i = 0; i < 2; ++i) {
    receive_some(bytes);
    if (i == 0) {
      ASSERT_EQ(session.next_event().kind, EventKind::none);
    }
  }
  char out[Session::max_close_frame_size];
  EXPECT_NE(session.close_frame(CloseCode::normal, "", out), 0U);
  EXPECT_EQ(written(receive(bytes)), "close 1000 bye");
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

}  // namespace
}  // namespace hotline::protocol
