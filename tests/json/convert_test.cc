#include <array>
#include <cmath>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include <boost/json/parse.hpp>
#include <gtest/gtest.h>

#include <hotline/json.h>

namespace {

using namespace std::string_literals;
namespace json = boost::json;
using hotline::Fault;
using hotline::json_text;
using hotline::JsonOptions;
using hotline::parse_json;

enum class Size { small, large };
BOOST_DESCRIBE_ENUM(Size, small, large)

struct Item {
  std::string name;
  double price = 0;
  Size size = Size::small;
  friend bool operator==(const Item&, const Item&) = default;
};
BOOST_DESCRIBE_STRUCT(Item, (), (name, price, size))

struct Person {
  std::string name;
  friend bool operator==(const Person&, const Person&) = default;
};
BOOST_DESCRIBE_STRUCT(Person, (), (name))

using Pair = std::tuple<bool, std::int8_t>;

struct Order : Person {
  std::vector<Item> items;
  std::optional<std::string> note;
  std::map<std::string, int> stock;
  Pair pair;
  std::array<int, 2> two{};
  friend bool operator==(const Order&, const Order&) = default;
};
BOOST_DESCRIBE_STRUCT(Order, (Person), (items, note, stock, pair, two))

struct Letter {
  std::string to;
  json::value content;
};
BOOST_DESCRIBE_STRUCT(Letter, (), (to, content))

// Something whose own words are heard.
struct Celsius {
  double degrees = 0;
};
Celsius tag_invoke(const json::value_to_tag<Celsius>&, const json::value& value) {
  return {value.as_double()};
}
void tag_invoke(const json::value_from_tag&, json::value& value, const Celsius& temperature) {
  value = temperature.degrees;
}

template <typename T>
std::string complaint(std::string_view text, const JsonOptions& options = {}) {
  try {
    (void)parse_json<T>(text, options);
  } catch (const hotline::Error& error) {
    const std::string what = error.what();
    if (error.code() == Fault::message_too_big) return "too big";
    EXPECT_EQ(error.code(), Fault::invalid_json);
    EXPECT_TRUE(error.is(hotline::Condition::protocol_violated));
    return what.substr(0, what.rfind(": "));
  }
  return "none";
}

TEST(Json, goes_both_ways_for_described_structs_of_all_kinds_of_members) {
  const Order order{{"Ada"},
                    {{"tea", 2.5, Size::large}, {"cup", 1, Size::small}},
                    "soon",
                    {{"tea", 3}},
                    {true, std::int8_t{-5}},
                    {1, 2}};
  const auto text = json_text(order);
  EXPECT_EQ(parse_json<Order>(text), order);
  EXPECT_EQ(json::parse(text), json::parse(R"({"name":"Ada","items":[
      {"name":"tea","price":2.5,"size":"large"},{"name":"cup","price":1.0,"size":"small"}],
      "note":"soon","stock":{"tea":3},"pair":[true,-5],"two":[1,2]})"));
}

TEST(Json, leaves_out_what_is_optional_and_takes_it_as_missing_or_null) {
  const auto none = R"({"name":"","items":[],"stock":{},"pair":[false,0],"two":[0,0]})"s;
  EXPECT_EQ(json::parse(json_text(Order{})), json::parse(none));
  EXPECT_EQ(parse_json<Order>(none), Order{});
  EXPECT_EQ(parse_json<Order>(R"({"note":null,)" + none.substr(1)), Order{});
  EXPECT_EQ(parse_json<std::optional<int>>("null"), std::nullopt);
  EXPECT_EQ(json_text(std::optional<int>{}), "null");
}

TEST(Json, goes_both_ways_for_plain_values) {
  EXPECT_EQ(parse_json<int>(" -7 "), -7);
  EXPECT_EQ(parse_json<std::uint64_t>("18446744073709551615"), UINT64_MAX);
  EXPECT_EQ(parse_json<double>("3"), 3.0);
  EXPECT_TRUE(parse_json<bool>("true"));
  EXPECT_EQ(parse_json<std::string>(R"("a\u0000b\u00e9")"), "a\0b\xc3\xa9"s);
  EXPECT_EQ(json_text("a\0b"s), R"("a\u0000b")");
  EXPECT_EQ(json_text("literal"), "\"literal\"");
  EXPECT_EQ(json_text(std::vector{1, 2}), "[1,2]");
  EXPECT_EQ(json_text(true), "true");
  EXPECT_EQ(parse_json<Celsius>("1.5").degrees, 1.5);
  EXPECT_EQ(json_text(Celsius{2.5}), "2.5E0");
}

TEST(Json, gives_a_value_that_owns_all_it_has) {
  json::value value;
  {
    const auto text =
        R"({"list":[1,"two",null,{"deep":[]}],"text":")" + std::string(5000, 'x') + "\"}";
    value = parse_json<json::value>(text);
  }
  EXPECT_EQ(value.at("list").as_array().size(), 4u);
  EXPECT_EQ(value.at("text").as_string().size(), 5000u);
  EXPECT_EQ(json_text(parse_json<json::object>(R"({"a":[1]})")), R"({"a":[1]})");
  EXPECT_EQ(json_text(parse_json<json::array>("[1]")), "[1]");
  const auto object = parse_json<json::object>(R"({"a":[1,{"b":"c"}]})");
  const auto letter = parse_json<Letter>(R"({"to":"you","content":{"a":["many","words"]}})");
  EXPECT_EQ(parse_json<json::array>(R"([9,8,["over what was there"]])").size(), 3u);
  EXPECT_EQ(json_text(object), R"({"a":[1,{"b":"c"}]})");
  EXPECT_EQ(json_text(letter.content), R"({"a":["many","words"]})");
  EXPECT_EQ(letter.content.storage(), json::storage_ptr{});
}

TEST(Json, names_the_byte_where_a_text_does_not_parse) {
  EXPECT_EQ(complaint<json::value>("{\"a\" 1}"), "at byte 5: syntax error");
  EXPECT_EQ(complaint<json::value>("[1,"), "at byte 3: incomplete JSON");
  EXPECT_EQ(complaint<json::value>("1 2"), "at byte 2: extra data");
  EXPECT_EQ(complaint<json::value>(""), "at byte 0: incomplete JSON");
  EXPECT_EQ(complaint<json::value>("\"\x80\""), "at byte 1: syntax error");
}

TEST(Json, names_the_place_where_a_value_is_not_what_was_asked_for) {
  const auto with = [](std::string_view items, std::string_view more = "") {
    return R"({"name":"A","stock":{},"pair":[true,1],"two":[1,2],"items":)" + std::string(items) +
           std::string(more) + "}";
  };
  EXPECT_EQ(complaint<Order>("[]"), "an object is expected, not an array");
  EXPECT_EQ(complaint<Order>(with("7")), "items: an array is expected, not a number");
  EXPECT_EQ(complaint<Order>(with(R"([{"name":"x","price":1,"size":"small"},{"name":null}])")),
            "items[1].name: a string is expected, not null");
  EXPECT_EQ(complaint<Order>(with(R"([{"name":"x","size":"small"}])")),
            "items[0].price: is missing");
  EXPECT_EQ(complaint<Order>(with(R"([{"name":"x","price":"1","size":"small"}])")),
            "items[0].price: a number is expected, not a string");
  EXPECT_EQ(complaint<Order>(with(R"([{"name":"x","price":1,"size":"<b>\n"}])")),
            "items[0].size: \"<b>\\x0a\" is none of the names expected");
  EXPECT_EQ(complaint<Order>(R"({"name":"A","items":[],"stock":{"tea":1.5}})"),
            "stock.tea: the number is out of range, or has a fraction");
  EXPECT_EQ(complaint<Order>(R"({"name":"A","items":[],"stock":{"te\na":{}}})"),
            "stock.te\\x0aa: a number is expected, not an object");
  EXPECT_EQ(complaint<Pair>("[true,128]"), "[1]: the number is out of range, or has a fraction");
  EXPECT_EQ(complaint<Pair>("[true]"), "has to have 2 elements");
  EXPECT_EQ(complaint<bool>("0"), "a boolean is expected, not a number");
  EXPECT_NE(complaint<Celsius>("\"warm\""), "none");
}

TEST(Json, passes_over_members_that_it_does_not_know_unless_told_not_to) {
  const auto text = R"({"name":"A","nick":1})";
  EXPECT_EQ(complaint<Person>(text), "none");
  JsonOptions strict;
  strict.unknown_members = false;
  EXPECT_EQ(complaint<Person>(text, strict), "nick: is not expected");
  EXPECT_EQ(complaint<Person>(R"({"name":"A"})", strict), "none");
}

TEST(Json, has_limits_of_size_and_depth) {
  JsonOptions options;
  options.size = 10;
  EXPECT_EQ(complaint<std::string>("\"12345678\"", options), "none");
  EXPECT_EQ(complaint<std::string>("\"123456789\"", options), "too big");
  const auto nested = [](std::size_t depth) {
    return std::string(depth, '[') + std::string(depth, ']');
  };
  EXPECT_EQ(complaint<json::value>(nested(32)), "none");
  EXPECT_EQ(complaint<json::value>(nested(33)), "at byte 32: too deep");
  options.size = 1000;
  options.depth = 2;
  EXPECT_EQ(complaint<json::value>(nested(3), options), "at byte 2: too deep");
}

TEST(Json, cannot_say_infinity) {
  for (const double number : {std::numeric_limits<double>::infinity(), std::nan("")}) {
    EXPECT_THROW((void)json_text(number), hotline::Error);
    const std::vector<Item> items{{"x", number, Size::small}};
    EXPECT_THROW((void)json_text(items), hotline::Error);
  }
}

}  // namespace
