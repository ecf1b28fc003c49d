#include "http/path.h"

#include <gtest/gtest.h>

namespace hotline::http {
namespace {

TEST(Path, is_cleaned) {
  const std::pair<const char*, const char*> rows[] = {
      {"//", "/"},         {"/.", "/"},          {"/..", "/"},          {"/../", "/"},
      {"/a/.", "/a"},      {"/a/./", "/a/"},     {"/a/..", "/"},        {"/a/b/..", "/a"},
      {"/a/b/../", "/a/"}, {"/a//b", "/a/b"},    {"/a//", "/a/"},       {"//a", "/a"},
      {"/../../a", "/a"},  {"/a/../../b", "/b"}, {"/a/b/../c", "/a/c"}, {"///a///b///", "/a/b/"},
      {"/%2e%2E/a", "/a"}, {"/a/.%2e/b", "/b"},  {"/a/%2e/b", "/a/b"},  {"//evil.example/..", "/"},
  };
  for (const auto& [path, clean] : rows) {
    EXPECT_EQ(cleaned(path), clean) << path;
    EXPECT_FALSE(is_clean(path)) << path;
    EXPECT_TRUE(is_clean(clean)) << path;
  }
}

TEST(Path, that_is_clean_stays_as_it_is) {
  for (const auto* path : {"/", "/a", "/a/", "/a/b", "/...", "/.a", "/a.", "/..a/", "/%2e%2e%2e",
                           "/a%2F..%2Fb", "/%2", "/%", "/.%2", "/a%2f/"}) {
    EXPECT_TRUE(is_clean(path)) << path;
    EXPECT_EQ(cleaned(path), path);
  }
  EXPECT_FALSE(is_clean(""));
  EXPECT_FALSE(is_clean("*"));
}

TEST(Path, is_encoded_for_a_location) {
  EXPECT_EQ(encoded_for_location("/a/~b;c=1,2@x:y!$&'()*+%20%zz"), "/a/~b;c=1,2@x:y!$&'()*+%20%zz");
  EXPECT_EQ(encoded_for_location("/\\evil.example/"), "/%5Cevil.example/");
  EXPECT_EQ(encoded_for_location("/<\"^`{|}>\x7f\xc3"), "/%3C%22%5E%60%7B%7C%7D%3E%7F%C3");
}

TEST(Path, is_decoded) {
  EXPECT_EQ(decoded("a%20b%2fC%2F"), "a b/C/");
  EXPECT_EQ(decoded("%"), "%");
  EXPECT_EQ(decoded("%4"), "%4");
  EXPECT_EQ(decoded("%41%4g%g4"), "A%4g%g4");
  EXPECT_EQ(decoded("%2541"), "%41") << "once";
  EXPECT_EQ(decoded("%00"), std::string(1, '\0'));
}

TEST(Path, is_split_at_its_slashes) {
  SplitPath path;
  const std::string text{"/a/b%2Fc//d%64/"};
  path.assign(text, 9);
  ASSERT_EQ(path.size(), 4u);
  EXPECT_EQ(path[0].text, "a");
  EXPECT_EQ(path[1].text, "b/c");
  EXPECT_EQ(path[1].sent, "b%2Fc");
  EXPECT_EQ(path[2].text, "");
  EXPECT_EQ(path[3].text, "dd");
  EXPECT_TRUE(path.ends_in_slash());
  EXPECT_EQ(path.from(1), "b%2Fc//d%64/");
  EXPECT_EQ(path.from(4), "");
  path.assign(text, 2);
  EXPECT_EQ(path.size(), 2u);
  EXPECT_FALSE(path.ends_in_slash());
  path.assign("/", 2);
  EXPECT_EQ(path.size(), 0u);
  EXPECT_TRUE(path.ends_in_slash());
  path.assign("*", 2);
  EXPECT_EQ(path.size(), 0u);
  EXPECT_FALSE(path.ends_in_slash());
}

}  // namespace
}  // namespace hotline::http
