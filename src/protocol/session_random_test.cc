#include <random>
#include <string>

#include <gtest/gtest.h>

#include <hotline/protocol/session.h>

#include "protocol/session_fixture.h"

// What nobody thought of: talk put together at random, whose events are known, and talk that was
// damaged, whose events must be the same however it arrives.
namespace hotline::protocol {
namespace {

class AtRandom : public SessionTest {
 protected:
  std::size_t below(std::size_t bound) { return random_() % bound; }

  std::size_t some_size() {
    switch (below(8)) {
      case 0: return 0;
      case 1: return 124 + below(4);
      case 2: return 240 + below(40);
      case 3: return 65534 + below(4);
      case 4: return below(20000);
      default: return below(100);
    }
  }

  std::string some_text(std::size_t size) {
    std::string text;
    while (text.size() + 4 <= size) {
      constexpr std::string_view parts[] = {"a", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80"};
      text += parts[below(4)];
    }
    return text;
  }

  std::string some_control(Events& events) {
    const std::string payload(below(126), static_cast<char>('0' + below(10)));
    const bool asks = below(2) == 0;
    events.push_back((asks ? "ping " : "pong ") + payload);
    return asks ? ping(payload) : pong(payload);
  }

  std::string some_message(Events& events) {
    const bool is_text = below(2) == 0;
    const std::string payload = some_text(some_size());
    const auto opcode = is_text ? Opcode::text : Opcode::binary;
    const std::string event = (is_text ? "text " : "binary ") + payload;
    if (below(2) == 0) {
      events.push_back(event);
      return frame(opcode, payload);
    }
    std::string bytes;
    std::size_t at = 0;
    for (bool first = true;; first = false) {
      const std::size_t size = std::min(some_size(), payload.size() - at);
      const bool fin = at + size == payload.size() && below(2) == 0;
      bytes += frame(first ? opcode : Opcode::continuation, payload.substr(at, size), fin);
      at += size;
      if (fin) break;
      if (below(3) == 0) bytes += some_control(events);
    }
    events.push_back(event);
    return bytes;
  }

  std::string some_talk(Events& events, std::size_t length) {
    std::string bytes;
    for (std::size_t i = 0; i < length; ++i) {
      bytes += below(4) == 0 ? some_control(events) : some_message(events);
    }
    if (below(2) == 0) {
      bytes += close(1000, "bye");
      events.push_back("close 1000 bye");
    }
    return bytes;
  }

  Events events_of(const std::string& bytes, const Delivery& delivery) {
    Endpoint endpoint{us(), limits, delivery};
    Events events = endpoint.receive(bytes);
    for (std::string& event : endpoint.end()) events.push_back(std::move(event));
    return events;
  }
};
HOTLINE_FOR_BOTH_ROLES(AtRandom);

TEST_P(AtRandom, GoodTalkIsUnderstoodHoweverItArrives) {
  for (int round = 0; round < 15; ++round) {
    Events events;
    const std::string bytes = some_talk(events, 1 + below(8));
    expect(bytes, events);
  }
}

TEST_P(AtRandom, DamagedTalkIsUnderstoodInOneWayHoweverItArrives) {
  limits = {.message_size = 30000, .fragments = 6};
  for (int round = 0; round < 150; ++round) {
    Events unused;
    std::string bytes = some_talk(unused, 1 + below(3));
    if (bytes.size() > 3000) bytes.resize(3000);
    for (std::size_t hits = 1 + below(3); hits > 0; --hits) {
      const std::size_t at =
          below(3) == 0 ? below(std::min<std::size_t>(bytes.size(), 16)) : below(bytes.size());
      bytes[at] = static_cast<char>(bytes[at] ^ (1 << below(8)));
    }
    Events events = events_of(bytes, {.name = "", .chunk = bytes.size(), .block = 65536});
    ASSERT_EQ(events.back(), "ended");
    events.pop_back();
    expect(bytes, events);
  }
}

TEST_P(AtRandom, NoiseIsUnderstoodInOneWayHoweverItArrives) {
  for (int round = 0; round < 300; ++round) {
    std::string bytes(2 + below(60), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random_());
    // Let it get past the first frame's two first bytes, mostly.
    if (below(4) != 0) {
      bytes[0] = static_cast<char>((below(2) << 7) | (below(2) == 0 ? below(3) : 8 + below(3)));
      bytes[1] = static_cast<char>((us() == Role::server ? 0x80 : 0) | below(128));
    }
    Events events = events_of(bytes, {.name = "", .chunk = bytes.size(), .block = 65536});
    events.pop_back();
    expect(bytes, events);
  }
}

}  // namespace
}  // namespace hotline::protocol
