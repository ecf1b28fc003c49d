#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/protocol/session.h>

#include "protocol/session_fixture.h"

namespace hotline::protocol {

/// For tests that look at where bytes lie: one session, one block.
class SessionMemoryTest : public SessionTest {
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

}  // namespace hotline::protocol
