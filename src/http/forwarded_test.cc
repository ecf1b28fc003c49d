#include "http/forwarded.h"

#include <string>

#include <gtest/gtest.h>

#include <hotline/base/error.h>

#include "http/request_builder.h"

namespace hotline::http {
namespace {

/// What a server makes of `fields` on a connection from `peer`: "client host scheme". It trusts
/// 10.0.0.0/8, 2001:db8:1::/48 and unix sockets.
std::string seen(const std::string& fields, const Address& peer) {
  const std::string head = "GET / HTTP/1.1\r\nHost: inner\r\n" + fields + "\r\n";
  Request request;
  RequestTraits traits;
  std::size_t count = 0;
  for (const auto c : head) count += c == '\n' ? 1 : 0;
  EXPECT_FALSE(RequestBuilder::build(head, count, request, traits)) << head;
  const TrustedPeers trusted{{"10.0.0.0/8", "2001:db8:1::/48", "unix"}};
  const auto view = forwarded_view(request, {peer, request.host(), false}, trusted);
  auto text = view.client.port() == 0 ? view.client.host() : view.client.to_string();
  text.append(" ").append(view.host).append(view.secure ? " https" : " http");
  return text;
}
std::string seen(const std::string& fields, const char* peer = "10.0.0.1") {
  return seen(fields, *Address::parse(peer, 0));
}

TEST(Forwarded, is_never_believed_of_somebody_unknown) {
  for (const std::string fields :
       {"Forwarded: for=192.0.2.7;host=outer;proto=https\r\n",
        "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: outer\r\nX-Forwarded-Proto: https\r\n"}) {
    EXPECT_EQ(seen(fields, "198.51.100.1"), "198.51.100.1 inner http");
    EXPECT_EQ(seen(fields, "2001:db8:2::1"), "2001:db8:2::1 inner http");
    EXPECT_EQ(seen(fields, Address{}), " inner http");
    EXPECT_EQ(seen(fields), "192.0.2.7 outer https");
    EXPECT_EQ(seen(fields, "2001:db8:1::1"), "192.0.2.7 outer https");
    EXPECT_EQ(seen(fields, "::ffff:10.0.0.1"), "192.0.2.7 outer https");
    EXPECT_EQ(seen(fields, Address::unix_socket()), "192.0.2.7 outer https");
  }
  EXPECT_EQ(seen(""), "10.0.0.1 inner http");
}

TEST(Forwarded, is_understood_in_all_its_forms) {
  const auto by = [](const std::string& value) { return seen("Forwarded: " + value + "\r\n"); };
  EXPECT_EQ(by("for=192.0.2.7"), "192.0.2.7 inner http");
  EXPECT_EQ(by("FOR=\"192.0.2.7\""), "192.0.2.7 inner http");
  EXPECT_EQ(by("for=\"192.0.2.7:4711\""), "192.0.2.7:4711 inner http");
  EXPECT_EQ(by("for=\"[2001:db8::7]\""), "2001:db8::7 inner http");
  EXPECT_EQ(by("for=\"[2001:db8::7]:4711\""), "[2001:db8::7]:4711 inner http");
  EXPECT_EQ(by("for=\"192.0.2.7:_port\""), "192.0.2.7 inner http");
  EXPECT_EQ(by("Host=\"outer:8443\" ; Proto=HTTPS;; for=192.0.2.7;by=_me;x=\"a;b,c\""),
            "192.0.2.7 outer:8443 https");
  EXPECT_EQ(by("proto=https"), "10.0.0.1 inner https") << "what it says, without the rest";
  EXPECT_EQ(by(" , for=192.0.2.7 ,,"), "192.0.2.7 inner http") << "empty elements are none";
}

TEST(Forwarded, is_read_from_the_right_past_proxies_that_are_known) {
  EXPECT_EQ(seen("Forwarded: for=192.0.2.66, for=192.0.2.7\r\n"), "192.0.2.7 inner http");
  EXPECT_EQ(seen("Forwarded: for=192.0.2.66, for=192.0.2.7;host=outer;proto=https,"
                 " for=10.0.0.2;host=middle;proto=http\r\n"),
            "192.0.2.7 outer https");
  EXPECT_EQ(seen("Forwarded: for=192.0.2.7;proto=https\r\nForwarded: for=10.0.0.2\r\n"),
            "192.0.2.7 inner https")
      << "fields are one list";
  EXPECT_EQ(seen("Forwarded: for=10.0.0.3, for=10.0.0.2\r\n"), "10.0.0.3 inner http")
      << "all of them are known";
  EXPECT_EQ(seen("X-Forwarded-For: 192.0.2.66, 192.0.2.7, 10.0.0.3\r\n"
                 "X-Forwarded-For: 10.0.0.2\r\n"),
            "192.0.2.7 inner http");
}

TEST(Forwarded, gives_nothing_to_a_client_that_makes_things_up) {
  EXPECT_EQ(seen("Forwarded: for=10.0.0.9;host=victim;proto=https, for=192.0.2.7\r\n"),
            "192.0.2.7 inner http");
  EXPECT_EQ(seen("Forwarded: for=\"192.0.2.66, for=192.0.2.7\r\n"), "192.0.2.7 inner http")
      << "a quote that nobody closes";
  EXPECT_EQ(seen("Forwarded: \";;=,\xff, for=192.0.2.7\r\n"), "192.0.2.7 inner http");
  EXPECT_EQ(seen("X-Forwarded-For: 10.0.0.9, nonsense, 192.0.2.7\r\n"), "192.0.2.7 inner http");
  EXPECT_EQ(seen("X-Forwarded-Proto: https, http\r\nX-Forwarded-Host: victim, outer\r\n"),
            "10.0.0.1 outer http")
      << "the last was written by the proxy";
}

TEST(Forwarded, leaves_the_address_at_the_last_proxy_that_says_anything_of_use) {
  for (const char* value : {"for=unknown",
                            "for=_hidden",
                            "for=\"[192.0.2.7]\"",
                            "for=2001:db8::7",
                            "for=192.0.2.7:80",
                            "for=\"192.0.2.7:\"",
                            "for=\"192.0.2.7:x\"",
                            "for=\"192.0.2.7:65536\"",
                            "for=\"[::1\"",
                            "for=\"[::1]x\"",
                            "for=",
                            "for",
                            "=192.0.2.7",
                            "for=192.0.2.7;for=192.0.2.8",
                            "for =192.0.2.7",
                            "for=\"192.0.2\\.7\"",
                            "for=192.0.2.7 host=x",
                            "for='192.0.2.7'",
                            "for=\"192.0.2.7",
                            "f@r=x;for=192.0.2.7",
                            "192.0.2.7"}) {
    EXPECT_EQ(seen("Forwarded: for=192.0.2.66, " + std::string(value) + "\r\n"),
              "10.0.0.1 inner http")
        << value;
    EXPECT_EQ(seen("Forwarded: " + std::string(value) + ", for=10.0.0.2;proto=https\r\n"),
              "10.0.0.2 inner https")
        << value;
  }
  EXPECT_EQ(seen("Forwarded: for=unknown;host=outer\r\n"), "10.0.0.1 outer http");
  for (const char* value : {"unknown", "", "unix:", "192.0.2.7:", "192.0.2.7:x", "1.2.3", "[::1"}) {
    EXPECT_EQ(seen("X-Forwarded-For: 192.0.2.66, " + std::string(value) + "x\r\n"),
              "10.0.0.1 inner http")
        << value;
  }
}

TEST(Forwarded, knows_how_proxies_write_x_forwarded_for) {
  const auto by = [](const std::string& value) {
    return seen("X-Forwarded-For: " + value + "\r\n");
  };
  EXPECT_EQ(by("192.0.2.7"), "192.0.2.7 inner http");
  EXPECT_EQ(by("2001:db8::7"), "2001:db8::7 inner http");
  EXPECT_EQ(by("192.0.2.7:4711"), "192.0.2.7:4711 inner http");
  EXPECT_EQ(by("[2001:db8::7]:4711"), "[2001:db8::7]:4711 inner http");
  EXPECT_EQ(seen("X-Forwarded-Proto: wss\r\n"), "10.0.0.1 inner https");
  EXPECT_EQ(seen("X-Forwarded-Proto: gopher\r\nX-Forwarded-Host: a/b\r\n"), "10.0.0.1 inner http");
  EXPECT_EQ(seen("X-Forwarded-Host: outer:8443\r\n"), "10.0.0.1 outer:8443 http");
}

TEST(Forwarded, goes_before_its_older_form_but_not_against_it) {
  EXPECT_EQ(seen("Forwarded: for=192.0.2.7;proto=https\r\nX-Forwarded-For: 192.0.2.7\r\n"
                 "X-Forwarded-Proto: http\r\n"),
            "192.0.2.7 inner https");
  EXPECT_EQ(seen("Forwarded: for=192.0.2.66;proto=https;host=victim\r\n"
                 "X-Forwarded-For: 192.0.2.7\r\nX-Forwarded-Host: outer\r\n"),
            "10.0.0.1 inner http")
      << "one of them is the client's own";
}

}  // namespace
}  // namespace hotline::http
