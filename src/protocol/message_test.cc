#include <hotline/protocol/message.h>

#include <new>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "protocol/allocations.h"

namespace hotline::protocol {
namespace {

std::string_view characters(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

TEST(Message, AViewShowsBytesThatAreSomebodyElses) {
  std::string bytes = "Hello";
  Message message{Opcode::text, bytes};
  EXPECT_TRUE(message.is_text());
  EXPECT_FALSE(message.is_binary());
  EXPECT_EQ(message.text(), "Hello");
  EXPECT_EQ(characters(message.bytes()), "Hello");
  EXPECT_EQ(message.data(), bytes.data());
  EXPECT_FALSE(message.owns_bytes());
  message.writable()[0] = 'J';
  EXPECT_EQ(bytes, "Jello");
}

TEST(Message, AnOwnerShowsItsOwn) {
  const Message message{Opcode::binary, BodyBuffer::copy_of(std::string_view{"Hello"})};
  EXPECT_TRUE(message.is_binary());
  EXPECT_FALSE(message.is_text());
  EXPECT_EQ(message.text(), "Hello");
  EXPECT_TRUE(message.owns_bytes());
}

TEST(Message, OneThatWasMovedFromIsEmpty) {
  std::string bytes = "Hello";
  for (const bool owns : {false, true}) {
    Message a = owns ? Message{Opcode::text, BodyBuffer::copy_of(bytes)}
                     : Message{Opcode::text, std::span{bytes}};
    Message b{std::move(a)};
    EXPECT_TRUE(a.empty());
    EXPECT_FALSE(a.owns_bytes());
    EXPECT_EQ(b.text(), "Hello");
    Message c;
    c = std::move(b);
    EXPECT_TRUE(b.empty());
    EXPECT_EQ(c.text(), "Hello");
    EXPECT_TRUE(c.is_text());
  }
}

TEST(Message, KeepingAViewCopies) {
  std::string bytes = "Hello";
  Message message{Opcode::text, bytes};
  const KeptMessage kept = std::move(message).keep();
  bytes.assign(5, '#');
  EXPECT_EQ(kept.text(), "Hello");
  EXPECT_TRUE(kept.is_text());
  EXPECT_TRUE(message.empty());
}

TEST(Message, KeepingAnOwnerCopiesNothing) {
  Message message{Opcode::binary, BodyBuffer::copy_of(std::string_view{"Hello"})};
  const char* const before = message.data();
  Allocations watched;
  KeptMessage kept = std::move(message).keep();
  EXPECT_EQ(watched.count(), 0U);
  EXPECT_EQ(kept.text().data(), before);
  EXPECT_EQ(characters(kept.bytes()), "Hello");
  EXPECT_TRUE(kept.is_binary());
  kept.writable()[0] = 'J';
  EXPECT_EQ(kept.text(), "Jello");
}

TEST(Message, AnEmptyOneCanBeKept) {
  Message message{Opcode::text, std::span<char>{}};
  const KeptMessage kept = std::move(message).keep();
  EXPECT_TRUE(kept.is_text());
  EXPECT_TRUE(kept.empty());
  EXPECT_EQ(kept.size(), 0U);
}

TEST(Message, WithoutMemoryKeepingThrowsAndLosesNothing) {
  if (!Allocations::can_fail()) GTEST_SKIP() << "the allocator is the sanitizer's";
  std::string bytes = "Hello";
  Message message{Opcode::text, bytes};
  bool threw = false;
  {
    Allocations watched;
    watched.fail(true);
    try {
      const KeptMessage kept = std::move(message).keep();
    } catch (const std::bad_alloc&) {
      threw = true;
    }
    watched.fail(false);
  }
  EXPECT_TRUE(threw);
  EXPECT_EQ(message.text(), "Hello");
}

}  // namespace
}  // namespace hotline::protocol
