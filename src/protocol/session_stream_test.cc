// Messages in pieces.
#include "protocol/session_fixture.h"

namespace hotline::protocol {
namespace {

/// What an endpoint heard: the pieces joined, and what came besides.
struct Heard {
  std::string pieces;
  std::vector<std::string> others;

  void add(const std::vector<std::string>& events) {
    for (const auto& event : events) {
      if (event.starts_with("piece ")) {
        pieces += event.substr(6);
      } else {
        others.push_back(event);
      }
    }
  }
};

class Streaming : public SessionTest {
 protected:
  /// The bytes come in every way, and the message is streamed from each place in them on.
  template <typename Check>
  void for_each_cut(const std::string& bytes, const Check& check) {
    const std::size_t step = 1 + bytes.size() / 100;
    for (std::size_t cut = 0; cut <= bytes.size(); cut += step) {
      for (const Delivery& delivery : deliveries(1000)) {
        Endpoint endpoint{us(), limits, delivery};
        Heard heard;
        heard.add(endpoint.receive(bytes.substr(0, cut)));
        ASSERT_TRUE(endpoint.session().stream(stream_limit));
        heard.add(endpoint.receive(bytes.substr(cut)));
        heard.add(endpoint.end());
        check(heard, cut, delivery.name);
        if (HasFatalFailure()) return;
      }
    }
  }

  std::uint64_t stream_limit = std::uint64_t{1} << 30;
  char block_[4096] = {};
};

HOTLINE_FOR_BOTH_ROLES(Streaming);

TEST_P(Streaming, GivesTheBytesOfAMessageInTheirOrder) {
  const std::string euros = "\xE2\x82\xAC\xC3\xA9 \xF0\x9F\x98\x80";
  const std::string bytes = begin_text(euros.substr(0, 1)) + more("") + ping("p") +
                            more(euros.substr(1, 6)) + last(euros.substr(7));
  for_each_cut(bytes, [&](const Heard& heard, std::size_t cut, const std::string& how) {
    const bool whole = cut == bytes.size();  // it was there before it was to be streamed
    const Events expected =
        whole ? Events{"ping p", "text " + euros, "ended"} : Events{"ping p", "ended"};
    ASSERT_EQ(heard.others, expected) << cut << ", " << how;
    ASSERT_EQ(heard.pieces, whole ? "" : euros) << cut << ", " << how;
  });
}

TEST_P(Streaming, TheMessageBehindItIsWholeAgain) {
  const std::string bytes = binary(std::string(700, 'x'));
  for_each_cut(bytes + text("next"), [&](const Heard& heard, std::size_t cut, const std::string&) {
    if (cut < bytes.size()) {
      ASSERT_EQ(heard.pieces, std::string(700, 'x'));
      ASSERT_EQ(heard.others, (Events{"text next", "ended"}));
    } else if (cut < bytes.size() + text("next").size()) {
      ASSERT_EQ(heard.pieces, "next");
    }
  });
}

TEST_P(Streaming, BeginsWithTheHeaderAndTellsWhenItEnds) {
  Endpoint endpoint{us(), limits, {.name = "", .chunk = 1, .block = 256}};
  auto& session = endpoint.session();
  ASSERT_TRUE(session.stream(stream_limit));
  EXPECT_FALSE(session.gives_pieces());
  const std::string bytes = binary("ab");
  EXPECT_EQ(endpoint.receive(bytes.substr(0, bytes.size() - 2)), Events{"piece "});
  EXPECT_TRUE(session.gives_pieces());
  EXPECT_EQ(endpoint.receive("a").size(), 1U);
  EXPECT_TRUE(session.message_under_way());
  EXPECT_EQ(endpoint.receive("b").size(), 1U);
  EXPECT_FALSE(session.message_under_way());
  EXPECT_FALSE(session.gives_pieces());
}

TEST_P(Streaming, MayBeLargerThanAWholeMessage) {
  limits.message_size = 100;
  limits.fragments = 3;
  std::string bytes = begin_binary("");
  for (int i = 0; i < 20; ++i) bytes += more(std::string(1000, 'x'));
  bytes += last("");
  Endpoint endpoint{us(), limits, {.name = "", .chunk = 333, .block = 512}};
  ASSERT_TRUE(endpoint.session().stream(20'000));
  Heard heard;
  heard.add(endpoint.receive(bytes));
  EXPECT_EQ(heard.pieces.size(), 20'000U);
  EXPECT_EQ(heard.others, Events{});
}

TEST_P(Streaming, HasALimitOfItsOwn) {
  stream_limit = 10;
  for (const auto& bytes : {binary("12345678901"), begin_binary("12345") + last("678901"),
                            begin_binary("1234567890") + more("") + last("1")}) {
    Endpoint endpoint{us(), limits, {.name = "", .chunk = 1, .block = 256}};
    ASSERT_TRUE(endpoint.session().stream(stream_limit));
    Heard heard;
    heard.add(endpoint.receive(bytes));
    EXPECT_EQ(heard.others, Events{"failure 1009"});
  }
  const std::string bytes = binary("12345678901");
  for_each_cut(bytes, [&](const Heard& heard, std::size_t cut, const std::string&) {
    if (cut == bytes.size()) return;
    ASSERT_EQ(heard.others, (Events{"failure 1009", "ended"})) << cut;
  });
}

TEST_P(Streaming, EmptyFragmentsAreCounted) {
  limits.fragments = 10;
  std::string bytes = begin_binary("x");
  for (int i = 0; i < 20; ++i) bytes += more("");
  Endpoint endpoint{us(), limits, {.name = "", .chunk = 10, .block = 256}};
  ASSERT_TRUE(endpoint.session().stream(stream_limit));
  Heard heard;
  heard.add(endpoint.receive(bytes));
  EXPECT_EQ(heard.others, Events{"failure 1008"});
}

TEST_P(Streaming, ATextFailsAtItsFirstBadByte) {
  const std::string good = begin_text("ab\xE2\x82") + more("\xAC\xF0");
  const std::string bad = good + more("\x28 never seen");
  Endpoint endpoint{us(), limits, {.name = "", .chunk = 1, .block = 256}};
  ASSERT_TRUE(endpoint.session().stream(stream_limit));
  Heard heard;
  const std::size_t at = bad.size() - 11;
  heard.add(endpoint.receive(bad.substr(0, at - 1)));
  EXPECT_EQ(heard.others, Events{});
  heard.add(endpoint.receive(bad.substr(at - 1, 1)));
  EXPECT_EQ(heard.others, Events{"failure 1007"});

  for_each_cut(begin_text("ab\xE2") + last("\x82"),
               [&](const Heard& half, std::size_t cut, const std::string& how) {
                 ASSERT_EQ(half.others, (Events{"failure 1007", "ended"})) << cut << how;
               });
}

TEST_P(Streaming, IsSkippedWhenNobodyWantsTheRest) {
  const std::string head = begin_text("first") + more("sec");
  const std::string tail = more("ond\xFF") + ping("p") + last("third") + text("next");
  for (const Delivery& delivery : deliveries(200)) {
    Endpoint endpoint{us(), limits, delivery};
    ASSERT_TRUE(endpoint.session().stream(stream_limit));
    Heard heard;
    heard.add(endpoint.receive(head));
    EXPECT_EQ(heard.pieces, "firstsec");
    endpoint.session().stop_streaming();
    heard.add(endpoint.receive(tail));
    EXPECT_EQ(heard.pieces, "firstsec");
    EXPECT_EQ(heard.others, (Events{"ping p", "text next"})) << delivery.name;
  }
}

TEST_P(Streaming, TheMessageBehindOneThatIsSkippedMayBeStreamed) {
  for (const Delivery& delivery : deliveries(200)) {
    Endpoint endpoint{us(), limits, delivery};
    ASSERT_TRUE(endpoint.session().stream(stream_limit));
    Heard heard;
    heard.add(endpoint.receive(begin_binary("first")));
    endpoint.session().stop_streaming();
    ASSERT_TRUE(endpoint.session().stream(stream_limit));
    heard.add(endpoint.receive(last("rest") + text("sec")));
    heard.add(endpoint.receive(binary("third")));
    EXPECT_EQ(heard.pieces, "firstsec") << delivery.name;
    EXPECT_EQ(heard.others, Events{"binary third"});
  }
}

TEST_P(Streaming, CanBeTakenBackBeforeItHasBegun) {
  const std::string bytes = begin_text("one ") + more("two ") + last("three");
  for (std::size_t cut = 0; cut < bytes.size(); ++cut) {
    for (const Delivery& delivery : deliveries(1000)) {
      Endpoint endpoint{us(), limits, delivery};
      Heard heard;
      heard.add(endpoint.receive(bytes.substr(0, cut)));
      ASSERT_TRUE(endpoint.session().stream(stream_limit));
      endpoint.session().stop_streaming();
      heard.add(endpoint.receive(bytes.substr(cut)));
      ASSERT_EQ(heard.pieces, "");
      ASSERT_EQ(heard.others, Events{"text one two three"}) << cut << ", " << delivery.name;
    }
  }
}

TEST_P(Streaming, EndsWithOurOwnCloseFrame) {
  const std::string bytes = begin_text("one") + more("two") + last("three") + close(1000);
  for (std::size_t cut = 0; cut < bytes.size() - 1; ++cut) {
    Endpoint endpoint{us(), limits, {.name = "", .chunk = 1, .block = 256}};
    ASSERT_TRUE(endpoint.session().stream(stream_limit));
    Heard heard;
    heard.add(endpoint.receive(bytes.substr(0, cut)));
    const auto before = heard.pieces;
    char frame[Session::max_close_frame_size];
    ASSERT_NE(endpoint.session().close_frame(CloseCode::normal, {}, frame), 0U);
    heard.add(endpoint.receive(bytes.substr(cut)));
    ASSERT_EQ(heard.pieces, before) << cut;
    ASSERT_EQ(heard.others, Events{"close 1000 "}) << cut;
  }
}

TEST_P(Streaming, ALargeMessageIsHeldUntilItIsDecidedWhatBecomesOfIt) {
  limits.message_size = 10;
  const std::string large = begin_binary("12345") + last("6789012345");
  for (const bool streams : {false, true}) {
    Endpoint endpoint{us(), limits, {.name = "", .chunk = 1, .block = 256}};
    auto& session = endpoint.session();
    session.hold_large();
    session.lend({block_, sizeof block_});
    auto room = session.prepare();
    std::memcpy(room.data(), large.data(), large.size());
    session.received(large.size());
    EXPECT_EQ(session.next_event().kind, EventKind::large);
    EXPECT_EQ(session.next_event().kind, EventKind::large);
    if (!streams) {
      EXPECT_EQ(written(session.refuse_large()), "failure 1009");
      EXPECT_TRUE(session.failed());
      session.take_back();
      continue;
    }
    ASSERT_TRUE(session.stream(stream_limit));
    EXPECT_EQ(written(session.next_event()), "piece 12345");
    EXPECT_EQ(written(session.next_event()), "piece 6789012345");
    EXPECT_FALSE(session.message_under_way());
    EXPECT_EQ(session.next_event().kind, EventKind::none);
    session.take_back();
  }
}

}  // namespace
}  // namespace hotline::protocol
