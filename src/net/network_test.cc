#include "net/network.h"

#include <string>

#include <gtest/gtest.h>

#include <hotline/base/error.h>

namespace hotline {
namespace {

Address at(const char* text) { return *Address::parse(text, 80); }

TEST(Network, contains_what_has_its_prefix) {
  struct Row {
    const char* network;
    const char* address;
    bool contained;
  };
  for (const auto& [network, address, contained] : {
           Row{"10.0.0.0/8", "10.255.0.1", true},
           Row{"10.0.0.0/8", "11.0.0.0", false},
           Row{"192.0.2.128/25", "192.0.2.128", true},
           Row{"192.0.2.128/25", "192.0.2.127", false},
           Row{"192.0.2.7", "192.0.2.7", true},
           Row{"192.0.2.7", "192.0.2.6", false},
           Row{"192.0.2.7/32", "192.0.2.7", true},
           Row{"0.0.0.0/0", "255.1.2.3", true},
           Row{"0.0.0.0/0", "2001:db8::1", false},
           Row{"0.0.0.0/0", "::ffff:1.2.3.4", true},
           Row{"10.0.0.0/8", "::ffff:10.1.2.3", true},
           Row{"10.0.0.0/8", "::ffff:11.1.2.3", false},
           Row{"::/0", "2001:db8::1", true},
           Row{"::/0", "192.0.2.1", false},
           Row{"2001:db8::/33", "2001:db8:7fff::1", true},
           Row{"2001:db8::/33", "2001:db8:8000::1", false},
           Row{"::1", "::1", true},
           Row{"::1", "::2", false},
           Row{"a00::/8", "10.0.0.1", false},
       }) {
    const auto parsed = Network::parse(network);
    ASSERT_TRUE(parsed) << network;
    EXPECT_EQ(parsed->contains(at(address)), contained) << network << " " << address;
    EXPECT_FALSE(parsed->contains(Address{}));
    EXPECT_FALSE(parsed->contains(Address::unix_socket()));
  }
}

TEST(Network, is_refused_where_it_is_malformed) {
  for (const char* text :
       {"", "/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-1", "10.0.0.0/+8", "10.0.0.0/8 ",
        "10.0.0.0/8/8", "10.0.0/8", "10.0.0.1/8", "10.0.0.128/24", "::/129", "2001:db8::1/64",
        "[::1]", "localhost", "unix", "10.0.0.0/255.0.0.0"}) {
    EXPECT_FALSE(Network::parse(text)) << text;
  }
}

TEST(TrustedPeers, are_nobody_unless_they_are_named) {
  EXPECT_FALSE(TrustedPeers{}.trusts(at("127.0.0.1")));
  EXPECT_FALSE(TrustedPeers{}.trusts(Address::unix_socket()));
  EXPECT_FALSE(TrustedPeers{}.trusts(Address{}));
  EXPECT_TRUE(TrustedPeers{}.empty());
  const TrustedPeers some{{"10.0.0.0/8", "::1"}};
  EXPECT_TRUE(some.trusts(at("10.1.1.1")));
  EXPECT_TRUE(some.trusts(at("::1")));
  EXPECT_FALSE(some.trusts(at("192.0.2.1")));
  EXPECT_FALSE(some.trusts(Address::unix_socket()));
  const TrustedPeers local{{"unix"}};
  EXPECT_TRUE(local.trusts(Address::unix_socket()));
  EXPECT_FALSE(local.trusts(Address{}));
  EXPECT_FALSE(local.empty());
}

TEST(TrustedPeers, say_which_entry_is_wrong) {
  try {
    const TrustedPeers peers{{"10.0.0.0/8", "10.0.0.1/8"}};
    FAIL();
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("trusted_proxies: \"10.0.0.1/8\""), std::string::npos);
  }
}

TEST(Address, has_a_form_for_each_kind) {
  EXPECT_EQ(Address{}.to_string(), "-");
  EXPECT_EQ(Address{}.host(), "");
  EXPECT_TRUE(Address{}.empty());
  EXPECT_EQ(Address::unix_socket().to_string(), "unix");
  EXPECT_EQ(Address::unix_socket().host(), "unix");
  EXPECT_FALSE(Address::unix_socket().empty());
  EXPECT_FALSE(Address::unix_socket().is_loopback());
  EXPECT_NE(Address::unix_socket(), Address{});
  EXPECT_EQ(Address::from_bytes({"\xc0\x00\x02\x07", 4}, 80).to_string(), "192.0.2.7:80");
  EXPECT_EQ(Address::from_bytes(at("2001:db8::1").bytes(), 80), at("2001:db8::1"));
  EXPECT_TRUE(Address::from_bytes("12345", 80).empty());
  EXPECT_LE(sizeof(Address), 20u) << "two of them are kept for each connection";
}

}  // namespace
}  // namespace hotline
