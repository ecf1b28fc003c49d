#include <hotline/websocket/cookie_jar.h>

#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <hotline/base/error.h>

#include "websocket/set_cookie.h"

namespace hotline::websocket {
namespace {

using ::testing::HasSubstr;
using namespace std::chrono_literals;
using Time = Cookie::Time;

// 2020-01-01 00:00:00
constexpr Time new_year{std::chrono::seconds(1577836800)};

class Jar : public ::testing::Test {
 protected:
  explicit Jar(CookieJarOptions options = {}) : jar(with_time(std::move(options))) {}

  CookieJarOptions with_time(CookieJarOptions options) {
    options.now = [this] { return time; };
    return options;
  }
  bool set(std::string_view cookie, std::string_view url = "ws://www.example.org/a/b") {
    return jar.set(url, cookie);
  }
  std::string sent(std::string_view url = "ws://www.example.org/a/b") {
    return jar.cookies_for(url);
  }

  Time time = new_year;
  CookieJar jar;
};

TEST_F(Jar, SendsBackWhatItWasGiven) {
  EXPECT_EQ(sent(), "");
  EXPECT_TRUE(set("id=42"));
  EXPECT_EQ(sent(), "id=42");
  EXPECT_TRUE(set(" name = a b \t; HttpOnly"));
  EXPECT_EQ(sent(), "id=42; name=a b");
  EXPECT_TRUE(set("quoted=\"x=y\""));
  EXPECT_TRUE(set("empty="));
  EXPECT_EQ(sent(), "id=42; name=a b; quoted=\"x=y\"; empty=");
}

TEST_F(Jar, ANewValueTakesTheOldOnesPlace) {
  set("a=1");
  set("b=2");
  set("a=3");
  EXPECT_EQ(sent(), "a=3; b=2");
  EXPECT_EQ(jar.cookies().size(), 2u);
}

TEST_F(Jar, TellsNoOtherMachineOfTheSameAddressInAnotherZone) {
  EXPECT_TRUE(set("id=42", "ws://[fe80::1%25eth0]/"));
  EXPECT_EQ(sent("ws://[fe80::1%25eth0]:1/x"), "id=42");
  EXPECT_EQ(sent("ws://[fe80::1%25eth1]/"), "");
  EXPECT_EQ(sent("ws://[fe80::1]/"), "");
  EXPECT_TRUE(set("b=1; Path=/; Domain=example.org"));
  EXPECT_EQ(sent("ws://[fe80::1%25a.example.org]/"), "");
  EXPECT_FALSE(set("c=1; Domain=example.org", "ws://[fe80::1%25a.example.org]/"));
}

TEST_F(Jar, TakesNoCookieThatIsNone) {
  for (const auto* text : {"", ";", "=x", " = x", "name", "name; a=b", "a=b\r\nc", "a=\x01"}) {
    EXPECT_FALSE(set(text)) << text;
  }
  EXPECT_TRUE(jar.cookies().empty());
}

TEST_F(Jar, AHostsCookieIsItsOwn) {
  set("a=1");
  EXPECT_EQ(sent("ws://example.org/a/b"), "");
  EXPECT_EQ(sent("ws://x.www.example.org/a/b"), "");
  EXPECT_EQ(sent("wss://WWW.example.org:8443/a/c"), "a=1");
}

TEST_F(Jar, ADomainsCookieGoesToAllItsHosts) {
  EXPECT_TRUE(set("a=1; Domain=.Example.org; path=/"));
  EXPECT_EQ(sent("ws://example.org/"), "a=1");
  EXPECT_EQ(sent("ws://x.y.example.org/"), "a=1");
  EXPECT_EQ(sent("ws://badexample.org/"), "");
  EXPECT_EQ(sent("ws://example.org.evil.example/"), "");
}

TEST_F(Jar, NobodySetsACookieForAnother) {
  EXPECT_FALSE(set("a=1; Domain=example.com"));
  EXPECT_FALSE(set("a=1; Domain=x.www.example.org"));
  EXPECT_FALSE(set("a=1; Domain=ample.org"));
}

TEST_F(Jar, NoCookieIsForEveryHostOfATopLevelDomain) {
  EXPECT_FALSE(set("a=1; Domain=org"));
  EXPECT_FALSE(set("a=1; Domain=org.", "ws://www.example.org./"));
  EXPECT_FALSE(set("a=1; Domain=.org"));
  EXPECT_TRUE(set("a=1; Domain=localhost", "ws://localhost/"));
  EXPECT_EQ(sent("ws://x.localhost/"), "");
  EXPECT_EQ(sent("ws://localhost/"), "a=1");
}

TEST_F(Jar, AnAddressHasNoHostsBelowIt) {
  EXPECT_TRUE(set("a=1; Domain=127.0.0.1", "ws://127.0.0.1/"));
  EXPECT_EQ(sent("ws://127.0.0.1/"), "a=1");
  EXPECT_TRUE(jar.cookies()[0].host_only);
  EXPECT_FALSE(set("a=1; Domain=0.0.1", "ws://127.0.0.1/"));
  EXPECT_TRUE(set("b=1", "ws://[::1]/"));
  EXPECT_EQ(sent("ws://[::1]:80/"), "b=1");
}

TEST_F(Jar, AUnixSocketIsAHostOfItsOwn) {
  EXPECT_TRUE(set("a=1", "ws+unix:/run/a:/"));
  EXPECT_EQ(sent("ws+unix:/run/a:/x"), "a=1");
  EXPECT_EQ(sent("ws+unix:/run/b:/x"), "");
  EXPECT_EQ(sent("ws://localhost/"), "");
}

TEST_F(Jar, AUnixSocketSpeaksForNoDomain) {
  EXPECT_FALSE(set("a=1; Domain=example.org", "ws+unix:/run/chat.example.org:/"));
  EXPECT_EQ(sent("ws://www.example.org/"), "");
  EXPECT_TRUE(set("b=1; Path=/; Domain=example.org"));
  EXPECT_EQ(sent("ws+unix:/run/chat.example.org:/"), "");
}

TEST_F(Jar, PathsAreDirectories) {  // RFC 6265 5.1.4
  set("deep=1; Path=/a");
  EXPECT_EQ(sent("ws://www.example.org/a"), "deep=1");
  EXPECT_EQ(sent("ws://www.example.org/a/"), "deep=1");
  EXPECT_EQ(sent("ws://www.example.org/a/b?x=/c"), "deep=1");
  EXPECT_EQ(sent("ws://www.example.org/ab"), "");
  EXPECT_EQ(sent("ws://www.example.org/?/a"), "");
}

TEST_F(Jar, WithoutAPathItIsTheRequestsDirectory) {
  set("a=1", "ws://h/x/y?z=/");
  EXPECT_EQ(jar.cookies()[0].path, "/x");
  set("b=1; path=relative", "ws://h/x/");
  EXPECT_EQ(jar.cookies()[1].path, "/x");
  set("c=1", "ws://h/x");
  EXPECT_EQ(jar.cookies()[2].path, "/");
}

TEST_F(Jar, LongerPathsAndOlderCookiesGoFirst) {
  set("a=1; path=/");
  set("b=1; path=/a/b");
  set("c=1; path=/a");
  set("d=1; path=/");
  EXPECT_EQ(sent(), "b=1; c=1; a=1; d=1");
}

TEST_F(Jar, ASecureCookieComesAndGoesByTlsOnly) {
  EXPECT_FALSE(set("a=1; Secure", "ws://h/"));
  EXPECT_TRUE(set("a=1; Secure", "wss://h/"));
  EXPECT_EQ(sent("wss://h/"), "a=1");
  EXPECT_EQ(sent("ws://h/"), "");
  EXPECT_FALSE(set("a=evil", "ws://h/"));
  EXPECT_FALSE(set("a=evil; path=/x", "ws://h/"));
  EXPECT_EQ(sent("wss://h/x"), "a=1");
}

TEST_F(Jar, KnowsThePrefixes) {
  EXPECT_FALSE(set("__Secure-a=1", "wss://h/"));
  EXPECT_TRUE(set("__Secure-a=1; Secure", "wss://h/"));
  EXPECT_FALSE(set("__host-a=1; Secure", "wss://h/x/y"));
  EXPECT_FALSE(set("__Host-a=1; Secure; Path=/; Domain=www.example.org", "wss://www.example.org/"));
  EXPECT_TRUE(set("__Host-a=1; Secure; Path=/", "wss://h/x/y"));
}

TEST_F(Jar, CookiesExpire) {
  EXPECT_TRUE(set("a=1; Max-Age=10"));
  EXPECT_TRUE(set("b=1; Expires=Wed, 01 Jan 2020 00:00:20 GMT"));
  EXPECT_TRUE(set("c=1; Expires=Wed, 01 Jan 2020 00:00:05 GMT; Max-Age=30"));
  EXPECT_TRUE(set("d=1; Max-Age=99999999999999999999999"));
  EXPECT_TRUE(set("e=1; Max-Age=x; Expires=never"));
  EXPECT_EQ(sent(), "a=1; b=1; c=1; d=1; e=1");
  time += 10s;
  EXPECT_EQ(sent(), "b=1; c=1; d=1; e=1");
  time += 10s;
  EXPECT_EQ(sent(), "c=1; d=1; e=1");
  time += 24h * 400;
  EXPECT_EQ(sent(), "e=1");
  EXPECT_EQ(jar.cookies().size(), 1u);
}

TEST_F(Jar, ACookieThatHasExpiredRemovesTheOlderOne) {
  set("a=1");
  set("b=1");
  EXPECT_FALSE(set("a=; Max-Age=0"));
  EXPECT_EQ(sent(), "b=1");
  EXPECT_FALSE(set("b=; Expires=Thu, 01 Jan 1970 00:00:00 GMT"));
  EXPECT_EQ(sent(), "");
  EXPECT_FALSE(set("c=; Max-Age=-1"));
}

TEST_F(Jar, CanBeEmptied) {
  set("a=1");
  jar.clear();
  EXPECT_EQ(sent(), "");
  EXPECT_TRUE(jar.cookies().empty());
}

TEST_F(Jar, ABadUrlIsReported) { EXPECT_THROW(set("a=1", "example.org"), Error); }

class SmallJar : public Jar {
 protected:
  SmallJar()
      : Jar({.cookies = 4, .cookies_of_a_domain = 2, .cookie_size = 10, .header_size = 12}) {}
};

TEST_F(SmallJar, TakesNoCookieThatIsTooLong) {
  EXPECT_TRUE(set("name=123456"));
  EXPECT_FALSE(set("name=1234567"));
}

TEST_F(SmallJar, SendsNoMoreThanFitsTheHeader) {
  set("long=123456");
  set("a=1");
  EXPECT_EQ(sent(), "long=123456");
}

TEST_F(SmallJar, OfADomainTheOneLeastUsedMakesRoom) {
  set("a=1; path=/a");
  set("b=1; path=/b");
  EXPECT_EQ(sent("ws://www.example.org/a"), "a=1");
  EXPECT_TRUE(set("c=1; path=/c"));
  EXPECT_EQ(sent("ws://www.example.org/b"), "");
  EXPECT_EQ(sent("ws://www.example.org/a"), "a=1");
}

TEST_F(SmallJar, OfAllTheOneLeastUsedMakesRoom) {
  for (const auto* url : {"ws://a/", "ws://b/", "ws://c/", "ws://d/"}) set("x=1", url);
  EXPECT_EQ(sent("ws://a/"), "x=1");
  EXPECT_TRUE(set("x=1", "ws://e/"));
  EXPECT_EQ(sent("ws://b/"), "");
  EXPECT_EQ(sent("ws://a/"), "x=1");
  EXPECT_EQ(jar.cookies().size(), 4u);
}

TEST_F(SmallJar, WhatHasExpiredMakesRoomFirst) {
  set("a=1; Max-Age=5");
  set("b=1");
  sent();
  time += 5s;
  set("c=1");
  EXPECT_EQ(sent(), "b=1; c=1");
}

TEST(CookieJar, RefusesLimitsThatAreNone) {
  EXPECT_THROW(CookieJar({.cookies = 0}), Error);
  EXPECT_THROW(CookieJar({.cookies_of_a_domain = 0}), Error);
  EXPECT_THROW(CookieJar({.cookie_size = 0}), Error);
  EXPECT_THROW(CookieJar({.header_size = 0}), Error);
}

TEST(CookieJar, ServesSeveralThreads) {
  CookieJar jar;
  const auto work = [&jar](const std::string& url) {
    for (int i = 0; i < 300; ++i) {
      jar.set(url, "a" + std::to_string(i % 60) + "=1");
      (void)jar.cookies_for(url);
      (void)jar.cookies();
    }
  };
  std::thread other{work, "ws://a/"};
  work("ws://b/");
  other.join();
  EXPECT_EQ(jar.cookies().size(), 100u);
}

// ---- Dates

std::string date(std::string_view text) {
  const auto time = parse_cookie_date(text);
  return time ? std::to_string(
                    std::chrono::duration_cast<std::chrono::seconds>(*time - new_year).count())
              : "none";
}

TEST(CookieDate, IsReadAsBrowsersDo) {  // RFC 6265 5.1.1
  EXPECT_EQ(date("Wed, 01 Jan 2020 00:00:01 GMT"), "1");
  EXPECT_EQ(date("Wednesday, 01-Jan-20 00:00:01 GMT"), "1");
  EXPECT_EQ(date("Wed Jan  1 00:00:01 2020"), "1");
  EXPECT_EQ(date("00:00:01 2 january 2020"), "86401");
  EXPECT_EQ(date("1-1 JAN 0:0:1 20"), "1");
  EXPECT_EQ(date("1 JAN 0:0:1 20"), "1");
  EXPECT_EQ(date("Thu, 01 Jan 1970 00:00:00 GMT"), "-1577836800");
  EXPECT_EQ(date("Wed, 01 Jan 70 00:00:00 GMT"), "-1577836800");
}

TEST(CookieDate, ThatIsNoneIsNone) {
  for (const auto* text :
       {"", "never", "Wed, 32 Jan 2020 00:00:00", "Wed, 00 Jan 2020 00:00:00",
        "Wed, 30 Feb 2020 00:00:00", "1 Jan 1600 00:00:00", "1 Jan 2020 24:00:00",
        "1 Jan 2020 00:60:00", "1 Jan 2020 00:00:60", "1 Jan 2020", "Jan 2020 00:00:00"}) {
    EXPECT_EQ(date(text), "none") << text;
  }
}

TEST(CookieDate, FarAwayIsEarlierOrLaterThanAll) {
  EXPECT_EQ(parse_cookie_date("1 Jan 9999 00:00:00"), Time::max());
  EXPECT_EQ(parse_cookie_date("1 Jan 1601 00:00:00"), Time::min());
}

}  // namespace
}  // namespace hotline::websocket
