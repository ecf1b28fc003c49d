#include <hotline/protocol/handshake.h>

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hotline::protocol {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Optional;
using Values = std::vector<std::string_view>;

TEST(Handshake, TheExampleOfTheRfcIsAnswered) {
  EXPECT_EQ(accept_for("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // 1.3
}

TEST(Handshake, AKeyIsTheBase64FormOf16Bytes) {
  EXPECT_TRUE(valid_key("dGhlIHNhbXBsZSBub25jZQ=="));
  EXPECT_TRUE(valid_key("AAAAAAAAAAAAAAAAAAAAAA=="));
  EXPECT_TRUE(valid_key("+/+/+/+/+/+/+/+/+/+/+w=="));
  for (const char* bad :
       {"", "dGhlIHNhbXBsZSBub25jZQ", "dGhlIHNhbXBsZSBub25jZQ=", "dGhlIHNhbXBsZSBub25jZQ===",
        "dGhlIHNhbXBsZSBub25jZTE=", "dGhlIHNhbXBsZSBub25jZTEy", "dGhlIHNhbXBsZSBub25jZ===",
        "dGhlIHNhbXBsZSBub25jZR==", "dGhlIHNhbXBsZSBub25jZQ= ", " dGhlIHNhbXBsZSBub25jZQ==",
        "dGhlIHNhb*BsZSBub25jZQ==", "dGhlIHNhb-BsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25jZQ==\n"}) {
    EXPECT_FALSE(valid_key(bad)) << bad;
  }
}

TEST(Handshake, AKeyIsMadeFromRandomBytes) {
  const std::string_view nonce = "the sample nonce";
  std::array<unsigned char, 16> bytes;
  std::copy(nonce.begin(), nonce.end(), bytes.begin());
  EXPECT_EQ(key_of(bytes), "dGhlIHNhbXBsZSBub25jZQ==");
  for (unsigned char byte = 0; byte < 255; ++byte) {
    bytes.fill(byte);
    EXPECT_TRUE(valid_key(key_of(bytes)));
  }
}

TEST(Handshake, SubprotocolsAreOfferedInTheirOrderInOneHeaderOrSeveral) {
  EXPECT_THAT(parse_subprotocols({}), Optional(IsEmpty()));
  EXPECT_THAT(parse_subprotocols(Values{"chat"}), Optional(ElementsAre("chat")));
  EXPECT_THAT(parse_subprotocols(Values{"b, a ,c", "v2.x"}),
              Optional(ElementsAre("b", "a", "c", "v2.x")));
  EXPECT_THAT(parse_subprotocols(Values{"chat, Chat"}), Optional(ElementsAre("chat", "Chat")));
}

TEST(Handshake, ASubprotocolThatIsEmptyRepeatedOrNoTokenIsRefused) {
  for (const Values& bad :
       {Values{""}, Values{"a,,b"}, Values{"a,"}, Values{",a"}, Values{"a", ""}, Values{"a, b, a"},
        Values{"a", "a"}, Values{"a b"}, Values{"a/b"}, Values{"\"a\""}, Values{"caf\xC3\xA9"}}) {
    EXPECT_EQ(parse_subprotocols(bad), std::nullopt) << testing::PrintToString(bad);
  }
}

TEST(Handshake, ManySubprotocolsAreNoTrouble) {
  std::string list;
  for (int i = 0; i < 100'000; ++i) list += "p" + std::to_string(i) + ",";
  EXPECT_THAT(parse_subprotocols(Values{list + "last"}), Optional(testing::SizeIs(100'001)));
  EXPECT_EQ(parse_subprotocols(Values{list + "p7"}), std::nullopt);
}

TEST(Handshake, ExtensionsFollowTheirGrammar) {
  EXPECT_TRUE(valid_extensions({}));
  for (const Values& good :
       {Values{"foo"}, Values{"permessage-deflate; client_max_window_bits"},
        Values{"permessage-deflate; client_max_window_bits=10, permessage-deflate"},
        Values{"foo", "bar; baz=2"}, Values{"bar;baz=\"10\""}, Values{"bar; baz=\"\\1\\0\""},
        Values{" foo ; a = b ; c\t, bar "}, Values{"foo,,bar"}, Values{",foo,"},
        Values{"", "foo"}}) {
    EXPECT_TRUE(valid_extensions(good)) << testing::PrintToString(good);
  }
  for (const Values& bad :
       {Values{""}, Values{","}, Values{" ", ""}, Values{"foo bar"}, Values{"foo;"},
        Values{"foo;;a"}, Values{";a"}, Values{"foo; =1"}, Values{"foo; a="}, Values{"foo; a=b=c"},
        Values{"foo; a=\"\""}, Values{"foo; a=\"b"}, Values{"foo; a=\"b c\""},
        Values{"foo; a=\"b\\\""}, Values{"foo; a=\"b\"c"}, Values{"\"foo\""}, Values{"foo/bar"},
        Values{"foo", "a b"}, Values{"foo; a=\"\\"}}) {
    EXPECT_FALSE(valid_extensions(bad)) << testing::PrintToString(bad);
  }
}

}  // namespace
}  // namespace hotline::protocol
