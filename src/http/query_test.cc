#include <hotline/http/query.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http/site_fixture.h"

namespace hotline::http {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

TEST(Query, finds_the_first_value_of_a_name) {
  const Query query{"a=1&b=2&a=3&&c&d=&e=x=y&=f"};
  EXPECT_EQ(query.find("a"), "1");
  EXPECT_EQ(query.find("b"), "2");
  EXPECT_EQ(query.find("c"), "");
  EXPECT_EQ(query.find("d"), "");
  EXPECT_EQ(query.find("e"), "x=y");
  EXPECT_EQ(query.find(""), "f");
  EXPECT_EQ(query.find("f"), std::nullopt);
  EXPECT_EQ(query.find("A"), std::nullopt);
}

TEST(Query, finds_all_values_of_a_name) {
  EXPECT_THAT(Query{"a=1&b=2&a=3&a"}.find_all("a"), ElementsAre("1", "3", ""));
  EXPECT_THAT(Query{"a=1"}.find_all("b"), IsEmpty());
}

TEST(Query, decodes_names_and_values_once) {
  const Query query{"r%6Fom=blue+sea%2b%26%3d&%2500=%2541&bad=%zz%4"};
  EXPECT_EQ(query.find("room"), "blue sea+&=");
  EXPECT_EQ(query.find("%00"), "%41");
  EXPECT_EQ(query.find("bad"), "%zz%4");
  EXPECT_EQ(Query{"a+b=c"}.find("a b"), "c");
}

TEST(Query, gives_all_its_fields) {
  EXPECT_THAT(Query{"a=1&b+c=%20"}.fields(), ElementsAre(Pair("a", "1"), Pair("b c", " ")));
  EXPECT_THAT(Query{""}.fields(), IsEmpty());
  EXPECT_THAT(Query{"&&"}.fields(), IsEmpty());
}

TEST(Query, is_asked_of_a_request) {
  testing::Site site;
  site.handle("/", [](Exchange exchange) -> Task<> {
    const auto name = exchange.request().query_parameter("name").value_or("nobody");
    co_await exchange.respond(Status::ok, name);
  });
  auto client = site.connect();
  EXPECT_EQ(client.exchange(testing::get("/?x=1&name=J%C3%BCrgen")),
            testing::answer("200 OK", "J\xc3\xbcrgen"));
  EXPECT_EQ(client.exchange(testing::get("/")), testing::answer("200 OK", "nobody"));
}

}  // namespace
}  // namespace hotline::http
