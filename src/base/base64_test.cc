#include "base/base64.h"

#include <gtest/gtest.h>

namespace hotline {
namespace {

TEST(Base64, EncodesTheExamplesOfTheStandard) {  // RFC 4648 10
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Base64, EncodesEveryByte) { EXPECT_EQ(base64(std::string_view{"\xfb\xff\0", 3}), "+/8A"); }

}  // namespace
}  // namespace hotline
