#include "net/happy_eyeballs.h"

#include <cerrno>
#include <map>
#include <optional>

#include <hotline/base/error.h>
#include <hotline/net/sleep.h>

#include "net/net_fixture.h"

namespace hotline {
namespace {

/// What becomes of an attempt: after a while a stream, or an error; or nothing ever.
struct Fate {
  Duration after{};
  int error = 0;
};
constexpr Fate never{std::chrono::hours(1), ETIMEDOUT};

/// A race in virtual time, to addresses that have fates.
class ConnectRaceTest : public ::testing::Test {
 protected:
  ~ConnectRaceTest() override {
    peer.reset();
    winner.reset();
    loop.settle();
  }

  void begin() {
    begun_ = loop.now();
    race.emplace(
        *loop, "example.org:80",
        [this](const Address& address) {
          tried.push_back(address.host() + " at " + std::to_string(elapsed()));
          return attempt(address);
        },
        &timings);
    loop.run(wait());
  }
  static NameAnswer known(std::initializer_list<const char*> addresses) {
    NameAnswer answer;
    for (const auto* address : addresses) answer.addresses.push_back(*Address::parse(address, 80));
    return answer;
  }
  void ipv4(NameAnswer answer) { tell(Family::ipv4, std::move(answer)); }
  void ipv6(NameAnswer answer) { tell(Family::ipv6, std::move(answer)); }
  // A race that has ended hears no more.
  void tell(Family family, NameAnswer answer) {
    loop.call([&] {
      if (race) race->answered(family, std::move(answer));
    });
  }
  long elapsed() const { return static_cast<long>((loop.now() - begun_) / 1ms); }

  Task<StreamPointer> attempt(Address address) {
    ++running;
    struct Ended {
      int& running;
      ~Ended() { --running; }
    } const ended{running};
    const auto fate = fates.contains(address.host()) ? fates[address.host()] : Fate{};
    if (fate.after > Duration{}) co_await sleep(fate.after);
    if (fate.error != 0) fail(fate.error, address);
    auto pair = make_memory_streams(*loop);
    pair.first->set_addresses(address, {});
    peer = std::move(pair.second);
    co_return std::move(pair.first);
  }
  [[noreturn]] static void fail(int error, const Address& address) {
    throw Error({error, std::system_category()}, "cannot connect to " + address.to_string());
  }
  Task<> wait() {
    try {
      auto& waited_for = *race;
      winner = co_await waited_for;
      outcome = winner->remote_address().host();
    } catch (const Error& error) {
      outcome = error.what();
      code = error.code();
    }
    ended_at = elapsed();
    race.reset();
  }

  TestLoop loop;
  std::map<std::string, Fate> fates;
  std::optional<ConnectRace> race;
  ConnectTimings timings;
  std::vector<std::string> tried;
  StreamPointer winner;
  StreamPointer peer;
  int running = 0;
  std::string outcome;
  std::error_code code;
  long ended_at = -1;

 private:
  TimePoint begun_{};
};

using Tried = std::vector<std::string>;

TEST_F(ConnectRaceTest, takes_the_first_address_that_answers_and_tries_no_other) {
  begin();
  ipv6(known({"2001:db8::1"}));
  ipv4(known({"192.0.2.1"}));
  EXPECT_EQ(outcome, "2001:db8::1");
  EXPECT_EQ(tried, Tried{"2001:db8::1 at 0"});
}

TEST_F(ConnectRaceTest, does_not_wait_for_ipv4_when_ipv6_is_known) {
  begin();
  ipv6(known({"2001:db8::1"}));
  EXPECT_EQ(outcome, "2001:db8::1");
}

TEST_F(ConnectRaceTest, gives_ipv6_fifty_milliseconds_to_become_known) {
  begin();
  ipv4(known({"192.0.2.1"}));
  loop.advance(49ms);
  EXPECT_EQ(tried, Tried{});
  loop.advance(1ms);
  EXPECT_EQ(tried, Tried{"192.0.2.1 at 50"});
  EXPECT_EQ(outcome, "192.0.2.1");
  EXPECT_EQ(timings.name, 50ms);
  EXPECT_EQ(timings.connect, 0ms);
}

TEST_F(ConnectRaceTest, begins_with_ipv6_that_becomes_known_within_the_delay) {
  begin();
  ipv4(known({"192.0.2.1"}));
  loop.advance(30ms);
  ipv6(known({"2001:db8::1"}));
  EXPECT_EQ(tried, Tried{"2001:db8::1 at 30"});
}

TEST_F(ConnectRaceTest, does_not_wait_for_ipv6_that_there_is_not) {
  begin();
  ipv4(known({"192.0.2.1"}));
  ipv6({{}, "the name has no address"});
  EXPECT_EQ(tried, Tried{"192.0.2.1 at 0"});
  EXPECT_EQ(outcome, "192.0.2.1");
}

TEST_F(ConnectRaceTest, tries_both_families_by_turns_a_quarter_of_a_second_apart) {
  for (const auto* host : {"2001:db8::1", "2001:db8::2", "192.0.2.1", "192.0.2.2"}) {
    fates[host] = never;
  }
  begin();
  ipv6(known({"2001:db8::1", "2001:db8::2", "2001:db8::3"}));
  ipv4(known({"192.0.2.1", "192.0.2.2"}));
  loop.advance(999ms);
  EXPECT_EQ(tried, (Tried{"2001:db8::1 at 0", "192.0.2.1 at 250", "2001:db8::2 at 500",
                          "192.0.2.2 at 750"}));
  EXPECT_EQ(running, 4);
  loop.advance(1ms);
  EXPECT_EQ(outcome, "2001:db8::3");
  EXPECT_EQ(running, 0) << "the others are dropped";
  EXPECT_EQ(timings.connect, 1s);
}

TEST_F(ConnectRaceTest, tries_the_next_at_once_when_one_fails) {
  fates["2001:db8::1"] = {0ms, ENETUNREACH};
  fates["192.0.2.1"] = {10ms, ECONNREFUSED};
  begin();
  ipv6(known({"2001:db8::1"}));
  ipv4(known({"192.0.2.1", "192.0.2.2"}));
  loop.advance(10ms);
  EXPECT_EQ(tried, (Tried{"2001:db8::1 at 0", "192.0.2.1 at 0", "192.0.2.2 at 10"}));
  EXPECT_EQ(outcome, "192.0.2.2");
}

TEST_F(ConnectRaceTest, lets_a_slow_attempt_win_while_a_later_one_is_under_way) {
  fates["2001:db8::1"] = {300ms, 0};
  fates["192.0.2.1"] = never;
  begin();
  ipv6(known({"2001:db8::1"}));
  ipv4(known({"192.0.2.1"}));
  loop.advance(300ms);
  EXPECT_EQ(outcome, "2001:db8::1");
  EXPECT_EQ(ended_at, 300);
  EXPECT_EQ(running, 0);
}

TEST_F(ConnectRaceTest, takes_in_addresses_that_become_known_late) {
  fates["192.0.2.1"] = never;
  fates["192.0.2.2"] = never;
  begin();
  ipv4(known({"192.0.2.1", "192.0.2.2"}));
  loop.advance(100ms);
  ipv6(known({"2001:db8::1"}));
  loop.advance(200ms);
  EXPECT_EQ(tried, (Tried{"192.0.2.1 at 50", "2001:db8::1 at 300"}));
  EXPECT_EQ(outcome, "2001:db8::1");
}

TEST_F(ConnectRaceTest, tries_what_becomes_known_after_all_others_at_once) {
  fates["192.0.2.1"] = never;
  begin();
  ipv4(known({"192.0.2.1"}));
  loop.advance(1s);
  ipv6(known({"2001:db8::1"}));
  EXPECT_EQ(tried, (Tried{"192.0.2.1 at 50", "2001:db8::1 at 1000"}));
}

TEST_F(ConnectRaceTest, waits_for_the_other_family_when_all_of_one_have_failed) {
  fates["2001:db8::1"] = {0ms, ENETUNREACH};
  begin();
  ipv6(known({"2001:db8::1"}));
  EXPECT_EQ(ended_at, -1);
  ipv4(known({"192.0.2.1"}));
  EXPECT_EQ(outcome, "192.0.2.1");
  EXPECT_EQ(ended_at, 0);
}

TEST_F(ConnectRaceTest, fails_at_once_when_nothing_is_left_to_wait_for) {
  fates["2001:db8::1"] = {0ms, ENETUNREACH};
  begin();
  ipv6(known({"2001:db8::1"}));
  ipv4({{}, "there is no such name"});
  EXPECT_EQ(code, std::error_code(ENETUNREACH, std::system_category()));
  EXPECT_EQ(ended_at, 0);
}

TEST_F(ConnectRaceTest, tells_the_last_error_and_all_that_was_tried) {
  fates["2001:db8::1"] = {0ms, ENETUNREACH};
  fates["192.0.2.1"] = {5ms, ECONNREFUSED};
  fates["192.0.2.2"] = {5ms, ECONNREFUSED};
  begin();
  ipv6(known({"2001:db8::1"}));
  ipv4(known({"192.0.2.1", "192.0.2.2"}));
  loop.advance(10ms);
  EXPECT_EQ(code, std::error_code(ECONNREFUSED, std::system_category()));
  EXPECT_EQ(outcome,
            "cannot connect to example.org:80 (tried [2001:db8::1]:80: Network is unreachable, "
            "192.0.2.1:80, 192.0.2.2:80): Connection refused");
}

TEST_F(ConnectRaceTest, tells_why_there_is_no_address) {
  begin();
  ipv6({{}, "the name server failed"});
  EXPECT_EQ(ended_at, -1);
  ipv4({{}, "there is no such name"});
  EXPECT_EQ(code, Fault::name_not_found);
  EXPECT_EQ(outcome, "example.org:80 (there is no such name): the name has no address");
  EXPECT_TRUE(timings.name);
  EXPECT_FALSE(timings.connect);
}

TEST_F(ConnectRaceTest, is_cancelled_by_a_drain_with_all_its_attempts) {
  fates["2001:db8::1"] = fates["192.0.2.1"] = never;
  begin();
  ipv6(known({"2001:db8::1"}));
  ipv4(known({"192.0.2.1"}));
  loop.advance(250ms);
  EXPECT_EQ(running, 2);
  loop.drain();
  EXPECT_EQ(code, Fault::cancelled);
  EXPECT_EQ(running, 0);
}

TEST_F(ConnectRaceTest, does_not_begin_in_a_drain) {
  loop.drain();
  begin();
  EXPECT_EQ(code, Fault::cancelled);
}

TEST_F(ConnectRaceTest, can_be_dropped_at_every_moment) {
  fates["2001:db8::1"] = fates["192.0.2.1"] = {20ms, ECONNREFUSED};
  fates["192.0.2.2"] = never;
  for (const auto moment : {0ms, 10ms, 20ms, 30ms, 50ms, 60ms, 90ms, 400ms}) {
    begin();
    ipv4(known({"192.0.2.1", "192.0.2.2"}));
    loop.advance(std::min<Duration>(moment, 45ms));
    if (moment >= 30ms) ipv6(known({"2001:db8::1"}));
    if (moment > 45ms) loop.advance(moment - 45ms);
    loop.cancel();
    race.reset();
    EXPECT_EQ(running, 0);
    EXPECT_EQ(loop->next_deadline(), std::nullopt);
  }
  EXPECT_EQ(ended_at, -1);
}

}  // namespace
}  // namespace hotline
