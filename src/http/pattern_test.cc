#include "http/pattern.h"

#include <gtest/gtest.h>

#include <hotline/base/error.h>

namespace hotline::http {
namespace {

// The parts, each segment with a letter for its kind.
std::string parts(std::string_view text) {
  const auto pattern = parse_pattern(text);
  auto result = pattern.method + "|" + pattern.host + "|";
  for (const auto& [kind, name] : pattern.segments) {
    result += " lsre"[1 + static_cast<int>(kind)];
    result += ":" + name + " ";
  }
  return result;
}

std::string complaint(std::string_view text) {
  try {
    parse_pattern(text);
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Fault::bad_option);
    const std::string what{error.what()};
    const auto at = what.find("at byte ");
    return what.substr(at + 8, what.rfind(": ") - at - 8);  // before the code's own words
  }
  return "none";
}

TEST(Pattern, has_a_method_a_host_and_segments) {
  EXPECT_EQ(parts("/"), "||r: ");
  EXPECT_EQ(parts("/a"), "||l:a ");
  EXPECT_EQ(parts("/a/"), "||l:a r: ");
  EXPECT_EQ(parts("/{$}"), "||e: ");
  EXPECT_EQ(parts("/path/to/something"), "||l:path l:to l:something ");
  EXPECT_EQ(parts("/{w1}/lit/{w2}/{w3...}"), "||s:w1 l:lit s:w2 r:w3 ");
  EXPECT_EQ(parts("GET /a/{$}"), "GET||l:a e: ");
  EXPECT_EQ(parts("POST \t Example.com/foo/{w}"), "POST|Example.com|l:foo s:w ");
  EXPECT_EQ(parts("[::1]/"), "|::1|r: ");
  EXPECT_EQ(parts("CONNECT /a//b/../c"), "CONNECT||l:a l: l:b l:.. l:c ");
}

TEST(Pattern, has_its_literals_decoded) {
  EXPECT_EQ(parts("/a%2Fb/%7Bx%7D"), "||l:a/b l:{x} ");
  EXPECT_EQ(parts("/%61%zz%"), "||l:a%zz% ");
  EXPECT_EQ(parts("/\xc3\xa4"), "||l:\xc3\xa4 ");
}

TEST(Pattern, that_is_malformed_is_refused_where_it_is_wrong) {
  const std::pair<const char*, const char*> rows[] = {
      {"", "0: there is no path: it begins with /"},
      {"a", "0: there is no path: it begins with /"},
      {"GET", "0: there is no path: it begins with /"},
      {"GET ", "4: there is no path: it begins with /"},
      {" /a", "0: the method is not a token"},
      {"G@T /a", "0: the method is not a token"},
      {"{a}/b", "0: a host has no wildcards (is the first / missing?)"},
      {"GET x{a}/b", "5: a host has no wildcards (is the first / missing?)"},
      {"ex@mple/", "0: the host is malformed"},
      {"example.com:80/", "11: the host is compared without its port: leave the port out"},
      {"example.com:/", "11: the host is compared without its port: leave the port out"},
      {"/a b", "0: the method is not a token"},
      {"GET /a b", "6: no path has blanks or control bytes"},
      {"/a?b", "2: a path ends before ? and #; write %3F or %23"},
      {"/a#b", "2: a path ends before ? and #; write %3F or %23"},
      {"/a/{x", "3: a wildcard is a whole segment, up to }"},
      {"/a/{", "3: a wildcard is a whole segment, up to }"},
      {"/a/x}", "4: a wildcard is a whole segment"},
      {"/a/}x{", "3: a wildcard is a whole segment"},
      {"/a/x{y}", "4: a wildcard is a whole segment"},
      {"/a/{x}y", "3: a wildcard is a whole segment, up to }"},
      {"/a/{x}{y}", "3: a wildcard is a whole segment, up to }"},
      {"/{}", "1: the wildcard has no name"},
      {"/{...}", "1: the wildcard has no name"},
      {"/{a b}", "0: the method is not a token"},
      {"/{a$}", "1: a wildcard's name has letters, digits, _ and - only"},
      {"/{$}/a", "1: {$} stands at the end only"},
      {"/{$}/", "1: {$} stands at the end only"},
      {"/{a...}/b", "1: a wildcard with ... stands at the end only"},
      {"/{a...}/", "1: a wildcard with ... stands at the end only"},
      {"/{a}/b/{a}", "7: the wildcard's name stands twice"},
      {"/{a}/{a...}", "5: the wildcard's name stands twice"},
  };
  for (const auto& [text, sentence] : rows) EXPECT_EQ(complaint(text), sentence) << text;
  for (const auto* unclean : {"//", "/a//b", "GET /./b", "/a/..", "/a/%2e%2E/b", "x.org//"}) {
    EXPECT_NE(complaint(unclean).find("it can never match"), std::string::npos) << unclean;
  }
}

bool conflict(std::string_view a, std::string_view b) {
  const auto there = find_conflict(parse_pattern(a), parse_pattern(b));
  const auto back = find_conflict(parse_pattern(b), parse_pattern(a));
  EXPECT_EQ(there.empty(), back.empty()) << a << ", " << b;
  return !there.empty();
}

TEST(Pattern, conflicts_with_one_that_matches_the_same) {
  for (const auto* text : {"/", "/a", "/a/", "/{x}", "/{x...}", "/{$}", "GET /a/{x}/b/{y...}"}) {
    EXPECT_TRUE(conflict(text, text)) << text;
  }
  EXPECT_TRUE(conflict("/{x}", "/{y}"));
  EXPECT_TRUE(conflict("/a/", "/a/{rest...}"));
  EXPECT_TRUE(conflict("/a%2Fb", "/a%2fb"));
  EXPECT_TRUE(conflict("EXAMPLE.org/a", "example.ORG/a"));
}

TEST(Pattern, conflicts_with_one_that_overlaps_it) {
  EXPECT_TRUE(conflict("/{x}/a", "/b/{y}"));
  EXPECT_TRUE(conflict("/a/{x}/c/", "/a/b/{y}/"));
  EXPECT_TRUE(conflict("/{x}/b/", "/a/{y...}")) << "/a/b/ is of both, /c/b/ and /a/ are not";
  EXPECT_TRUE(conflict("/a/{x}/b/{y...}", "/a/{x...}") == false);
  EXPECT_TRUE(conflict("GET /a/", "/a/b")) << "less of the methods, but more of the paths";
  EXPECT_TRUE(conflict("GET /", "/a"));
  EXPECT_TRUE(conflict("HEAD /a/", "GET /a/b")) << "GET is of more methods";
  EXPECT_TRUE(conflict("/{x}/{$}", "/a/{y...}"));
}

TEST(Pattern, does_not_conflict_where_one_is_more_specific_or_nothing_is_of_both) {
  const std::pair<const char*, const char*> rows[] = {
      {"/", "/a"},
      {"/a/", "/a/b"},
      {"/a/", "/a/{$}"},
      {"/{x}", "/a"},
      {"/{x}/", "/a/"},
      {"/{x...}", "/{x}/b"},
      {"/a/{x}", "/a/b"},
      {"GET /a", "/a"},
      {"HEAD /a", "GET /a"},
      {"GET /a", "POST /a"},
      {"GET /a/b", "/a/"},
      {"HEAD /a/b", "GET /a/"},
      {"x.org/", "/a"},
      {"x.org/a", "y.org/a"},
      {"/a", "/a/"},
      {"/a/{x}", "/a/{$}"},
      {"/a/b", "/a/{$}"},
      {"/{x}/a", "/{y}/b"},
      {"/a/{x}", "/b/{x}/c"},
      {"/a/{x}/b", "/a/{x}"},
      {"GET /{x}/a", "POST /b/{y}"},
  };
  for (const auto& [a, b] : rows) EXPECT_FALSE(conflict(a, b)) << a << ", " << b;
}

TEST(Pattern, names_both_where_they_conflict_and_a_path_of_both) {
  const auto text = [](const char* a, const char* b) {
    return find_conflict(parse_pattern(a), parse_pattern(b));
  };
  EXPECT_EQ(text("/a", "/a"),
            "the routes \"/a\" and \"/a\" conflict: they match the same requests");
  EXPECT_EQ(text("/{x}/a", "/b/{y}"),
            "the routes \"/{x}/a\" and \"/b/{y}\" conflict: both match, say, /b/a, and neither is "
            "more specific than the other");
  EXPECT_NE(text("GET /a/", "/a/{b}/c").find("say, /a/b/c,"), std::string::npos);
}

}  // namespace
}  // namespace hotline::http
