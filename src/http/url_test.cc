#include "http/url.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <hotline/base/error.h>

namespace hotline::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// "secure host port target", and what else there is
std::string described(const Url& url) {
  std::string text{url.secure ? "tls " : "plain "};
  text += url.socket_path.empty() ? url.host + " " + std::to_string(url.port)
                                  : "unix " + url.socket_path;
  text += " " + url.target;
  if (url.credentials) text += " as " + url.credentials->user + ":" + url.credentials->password;
  return text;
}
std::string parsed(std::string_view text) { return described(parse_websocket_url(text)); }
std::string authority(std::string_view text) { return parse_websocket_url(text).authority(); }
std::string resolved(std::string_view base, std::string_view location) {
  return described(resolve_location(parse_websocket_url(base), location));
}

std::string error_of(std::string_view text) {
  try {
    return "parsed: " + parsed(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Fault::bad_url);
    EXPECT_TRUE(error.is(Condition::misuse));
    return error.what();
  }
}

TEST(Url, HasSchemeHostPortAndTarget) {
  EXPECT_EQ(parsed("ws://example.org"), "plain example.org 80 /");
  EXPECT_EQ(parsed("wss://example.org/chat"), "tls example.org 443 /chat");
  EXPECT_EQ(parsed("ws://example.org:8080/chat?room=1&x"), "plain example.org 8080 /chat?room=1&x");
  EXPECT_EQ(parsed("ws://example.org?room=1"), "plain example.org 80 /?room=1");
  EXPECT_EQ(parsed("ws://example.org/?"), "plain example.org 80 /?");
  EXPECT_EQ(parsed("WSS://Example.ORG/Chat"), "tls example.org 443 /Chat");
  EXPECT_EQ(parsed("ws://example.org:/"), "plain example.org 80 /");
  EXPECT_EQ(parsed("ws://127.0.0.1:1/"), "plain 127.0.0.1 1 /");
}

TEST(Url, OfANameThatBeginsLikeAnAddress) {
  EXPECT_EQ(parsed("ws://10.0.0.1.Example.org/x"), "plain 10.0.0.1.example.org 80 /x");
  EXPECT_EQ(parsed("wss://ann:s@1.2.3.4.nip.io:9000?a"), "tls 1.2.3.4.nip.io 9000 /?a as ann:s");
  EXPECT_EQ(resolved("ws://h/", "//1.2.3.4a/x"), "plain 1.2.3.4a 80 /x");
  // Neither an address nor a name.
  EXPECT_THAT(error_of("ws://1.2.3.4.5/"), HasSubstr("1.2.3.4.5"));
  EXPECT_THAT(error_of("ws://127.0.0.1./"), HasSubstr("127.0.0.1."));
  EXPECT_THAT(error_of("ws://1.2.3.4:80.example.org/"), HasSubstr("behind the host"));
  EXPECT_THAT(error_of("ws://1.2.3.4.example.org:x/"), HasSubstr("behind the host"));
}

TEST(Url, APasswordThatIsWrittenWronglyIsNotShown) {
  for (const auto* text : {"ws://ann:s/cret@h/", "ws://ann:s?cret@h/", "ws://ann:s#cret@h/",
                           "http://ann:s/cret@h/", "ws://ann:s cret@h/"}) {
    EXPECT_THAT(error_of(text), Not(HasSubstr("cret"))) << text;
    EXPECT_THAT(error_of(text), HasSubstr("h/")) << text;
  }
}

TEST(Url, ItsTextCanBeReadAgain) {
  for (const auto* text :
       {"ws+unix:/a%20b%3Ac%25:/x?y", "wss+unix:relative@%C3%A9:/", "ws://h:1/x", "wss://[::1]/",
        "ws://[fe80::1%25eth0]:1/x", "ws://[fe80::1%25a%40b%2Cc]/"}) {
    const auto url = parse_websocket_url(text);
    EXPECT_EQ(url.text(), text);
    EXPECT_EQ(parsed(url.text()), described(url));
  }
}

TEST(Url, KeepsWhatIsEncodedInTheTarget) {
  EXPECT_EQ(parsed("ws://h/a%20b%2Fc?x=%26"), "plain h 80 /a%20b%2Fc?x=%26");
}

TEST(Url, HasIpv6LiteralsInBrackets) {
  EXPECT_EQ(parsed("ws://[::1]:9000/x"), "plain ::1 9000 /x");
  EXPECT_EQ(parsed("wss://[2001:DB8::1]"), "tls 2001:db8::1 443 /");
  EXPECT_EQ(authority("ws://[::1]:9000/x"), "[::1]:9000");
  EXPECT_EQ(authority("ws://[::1]/x"), "[::1]");
}

TEST(Url, AddressMayHaveItsZone) {  // RFC 6874
  const auto url = parse_websocket_url("ws://ann:a%5B@[FE80::1%25eth0]:9000/x%25?%5D");
  EXPECT_EQ(described(url), "plain fe80::1 9000 /x%25?%5D as ann:a[");
  EXPECT_EQ(url.zone, "eth0");
  EXPECT_EQ(url.host_in_zone(), "fe80::1%eth0");
  EXPECT_EQ(url.authority(), "[fe80::1]:9000") << "the server does not know our interfaces";
  EXPECT_EQ(parse_websocket_url("wss://[fe80::1%25a%20b]").zone, "a b");
  EXPECT_EQ(parse_websocket_url("ws://[fe80::1]/%5B::1%25eth0%5D").zone, "");
  EXPECT_FALSE(url.same_origin(parse_websocket_url("ws://[fe80::1]:9000/")));
  EXPECT_EQ(resolve_location(url, "http://[fe80::1]:1/").zone, "eth0");
  EXPECT_EQ(resolve_location(url, "/y").zone, "eth0");
  EXPECT_EQ(resolve_location(url, "http://[fe80::2]:1/").zone, "");
  for (const auto* zone : {"%eth0", "%25", "%", "%2", "%25%", "%25a%2Fb", "%25%00"}) {
    EXPECT_THAT(error_of("ws://[fe80::1" + std::string(zone) + "]/"), HasSubstr("[fe80::1%25eth0]"))
        << zone;
  }
}

TEST(Url, NamesThePortInHostOnlyWhereItIsNotTheDefault) {
  EXPECT_EQ(authority("ws://h:80/"), "h");
  EXPECT_EQ(authority("ws://h:443/"), "h:443");
  EXPECT_EQ(authority("wss://h:443/"), "h");
  EXPECT_EQ(authority("wss://h:80/"), "h:80");
}

TEST(Url, DecodesCredentials) {
  EXPECT_EQ(parsed("ws://ann:s%3Acret%40@h/"), "plain h 80 / as ann:s:cret@");
  EXPECT_EQ(parsed("ws://ann@h/"), "plain h 80 / as ann:");
  EXPECT_EQ(parsed("ws://:@h/"), "plain h 80 / as :");
  EXPECT_THAT(error_of("ws://a%3Ab:c@h/"), HasSubstr("no colon"));
}

TEST(Url, OfAUnixSocketIsAsInNodeWs) {
  EXPECT_EQ(parsed("ws+unix:/run/chat.sock:/room?x=1"), "plain unix /run/chat.sock /room?x=1");
  EXPECT_EQ(parsed("ws+unix:///run/chat.sock:/room"), "plain unix /run/chat.sock /room");
  EXPECT_EQ(parsed("ws+unix:/run/chat.sock"), "plain unix /run/chat.sock /");
  EXPECT_EQ(parsed("ws+unix:chat.sock:"), "plain unix chat.sock /");
  EXPECT_EQ(parsed("ws+unix:/a%20b%3Ac:/"), "plain unix /a b:c /");
  EXPECT_EQ(parsed("wss+unix:/run/chat.sock:/"), "tls unix /run/chat.sock /");
  EXPECT_EQ(authority("ws+unix:/run/chat.sock:/"), "localhost");
  EXPECT_THAT(error_of("ws+unix::/room"), HasSubstr("names no socket"));
  EXPECT_THAT(error_of("ws+unix:/s:room"), HasSubstr("begins with /"));
  EXPECT_THAT(error_of("ws+unix:/s%0:/"), HasSubstr("percent-encoding"));
  EXPECT_THAT(error_of("ws+unix:/s%00:/"), HasSubstr("names no socket"));
}

TEST(Url, ThatIsNoneSaysWhy) {
  EXPECT_THAT(error_of(""), HasSubstr("it begins with ws://"));
  EXPECT_THAT(error_of("example.org/chat"), HasSubstr("it begins with ws://"));
  EXPECT_THAT(error_of("http://example.org/"), HasSubstr("begins with ws://"));
  EXPECT_THAT(error_of("ftp://example.org/"), HasSubstr("begins with ws://"));
  EXPECT_THAT(error_of("ws://h/#top"), HasSubstr("no fragment"));
  EXPECT_THAT(error_of("ws://h/#"), HasSubstr("no fragment"));
  EXPECT_THAT(error_of("ws:/h/"), HasSubstr("names no host"));
  EXPECT_THAT(error_of("ws:///chat"), HasSubstr("names no host"));
  EXPECT_THAT(error_of("ws://:80/chat"), HasSubstr("names no host"));
  EXPECT_THAT(error_of("ws://h:0/"), HasSubstr("the port"));
  EXPECT_THAT(error_of("ws://h:65536/"), HasSubstr("the port"));
  EXPECT_THAT(error_of("ws://h:99999999999999999999999/"), HasSubstr("the port"));
  EXPECT_THAT(error_of("ws://h:http/"), HasSubstr("a port, a number"));
  EXPECT_THAT(error_of("ws://h:1x/"), HasSubstr("a port, a number"));
  EXPECT_THAT(error_of("ws://h@i@j/"), HasSubstr("a port, a number"));
  EXPECT_THAT(error_of("ws://[::1/"), HasSubstr("not of the form ws://"));
  EXPECT_THAT(error_of("ws://h/%zz"), HasSubstr("not of the form ws://"));
  EXPECT_THAT(error_of("ws://%68/"), HasSubstr("no percent-encoding"));
  EXPECT_THAT(error_of("ws://h/a b"), HasSubstr("byte 9 (\" \") must be percent-encoded"));
  EXPECT_THAT(error_of("ws://h/\r\nX: y"), HasSubstr("byte 8 (\"\\x0d\")"));
  EXPECT_THAT(error_of("ws://h\xc3\xa4/"), HasSubstr("xn--"));
  EXPECT_THAT(error_of("ws://h/" + std::string(9000, 'x')), HasSubstr("longer than 8192"));
}

TEST(Url, DoesNotShowItsPasswordInMessages) {
  EXPECT_EQ(parse_websocket_url("ws://ann:secret@h:81/x?y").text(), "ws://h:81/x?y");
  EXPECT_THAT(error_of("ws://ann:secret@h/a b"), Not(HasSubstr("secret")));
  EXPECT_THAT(error_of("ws://ann:secret@h:x/"), Not(HasSubstr("secret")));
  EXPECT_THAT(error_of("ws://ann:sec@ret@h/"), Not(HasSubstr("ret")));
}

TEST(Url, ResolvesLocations) {  // RFC 3986 5.4
  constexpr auto base = "wss://h:9/a/b/c?q";
  EXPECT_EQ(resolved(base, "/x"), "tls h 9 /x");
  EXPECT_EQ(resolved(base, "x?y=1"), "tls h 9 /a/b/x?y=1");
  EXPECT_EQ(resolved(base, "../x"), "tls h 9 /a/x");
  EXPECT_EQ(resolved(base, "../../../x"), "tls h 9 /x");
  EXPECT_EQ(resolved(base, "."), "tls h 9 /a/b/");
  EXPECT_EQ(resolved(base, "./x/../y/."), "tls h 9 /a/b/y/");
  EXPECT_EQ(resolved(base, ".."), "tls h 9 /a/");
  EXPECT_EQ(resolved(base, ""), "tls h 9 /a/b/c?q");
  EXPECT_EQ(resolved("ws://h", "x"), "plain h 80 /x");
  EXPECT_EQ(resolved("ws://h?a/b", "x"), "plain h 80 /x");
  EXPECT_EQ(resolved(base, "?y"), "tls h 9 /a/b/c?y");
  EXPECT_EQ(resolved(base, "//other/x"), "tls other 443 /x");
  EXPECT_EQ(resolved(base, "https://other:1/x#top"), "tls other 1 /x");
  EXPECT_EQ(resolved(base, "http://other"), "plain other 80 /");
  EXPECT_EQ(resolved(base, "ws://other"), "plain other 80 /");
  EXPECT_EQ(resolved(base, "wss://other"), "tls other 443 /");
  EXPECT_EQ(resolved("ws+unix:/s:/a/b", "c"), "plain unix /s /a/c");
}

TEST(Url, CredentialsStayWithinTheOrigin) {
  EXPECT_EQ(resolved("ws://ann:x@h/a", "/b"), "plain h 80 /b as ann:x");
  EXPECT_EQ(resolved("ws://ann:x@h/a", "http://h:80/b"), "plain h 80 /b as ann:x");
  EXPECT_EQ(resolved("ws://ann:x@h/a", "http://h:81/b"), "plain h 81 /b");
  EXPECT_EQ(resolved("ws://ann:x@h/a", "https://h/b"), "tls h 443 /b");
  EXPECT_EQ(resolved("ws://ann:x@h/a", "//bob:y@h/b"), "plain h 80 /b as bob:y");
}

TEST(Url, ALocationThatIsNoneSaysWhy) {
  const auto base = parse_websocket_url("ws://h/");
  for (const auto* location : {"http://[", "mailto:ann@h", "/a b", "http://h:0/", "ftp://h/"}) {
    EXPECT_THROW(resolve_location(base, location), Error) << location;
  }
  EXPECT_THROW(resolve_location(parse_websocket_url("ws+unix:/s:/"), "http://h/"), Error);
}

}  // namespace
}  // namespace hotline::http
