#include <algorithm>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include <hotline/protocol/session.h>

#include "protocol/allocations.h"
#include "protocol/session_memory_fixture.h"

namespace hotline::protocol {
namespace {

using Allocating = SessionMemoryTest;
HOTLINE_FOR_BOTH_ROLES(Allocating);

TEST_P(Allocating, MessagesInTheBlockAllocateNothing) {
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

TEST_P(Allocating, InTheSteadyStateNoMessageAllocates) {
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

TEST_P(Allocating, NothingIsAllocatedForADeclaredLength) {
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

TEST_P(Allocating, ParkingAfterEachByteAllocatesInProportionToTheMessage) {
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

TEST_P(Allocating, WithoutMemoryALargeMessageFails) {
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

TEST_P(Allocating, WithoutMemoryParkingWithinAFrameFails) {
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
