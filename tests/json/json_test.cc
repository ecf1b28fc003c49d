// JSON over a connection, of either role.
#include <hotline/json.h>

#include <gtest/gtest.h>

#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

struct Point {
  int x = 0;
  int y = 0;
};
BOOST_DESCRIBE_STRUCT(Point, (), (x, y))

// Mirrors points until it is given something else.
Task<> mirror(Connection connection, JsonOptions options, std::string& ended) {
  Json json{connection, options};
  bool failed = false;
  try {
    while (auto point = co_await json.read<Point>()) {
      const Point mirrored{point->y, point->x};
      const bool sent = co_await json.write(mirrored);
      EXPECT_TRUE(sent);
    }
    ended = describe(connection.close_status());
  } catch (const Error& error) {
    ended = error.what();
    failed = true;
  }
  if (failed) {
    const auto next = co_await json.read<Point>();  // goes on behind the bad message
    if (next) ended += " then " + std::to_string(next->x);
  }
}

class JsonConnection : public ConnectionTest {
 protected:
  void serve(JsonOptions options = {}) {
    auto connection = line.connect();
    line.loop.run(mirror(std::move(connection), options, ended));
  }

  Line line{GetParam()};
  std::string ended;
};
INSTANTIATE_TEST_SUITE_P(Roles, JsonConnection, ::testing::Values(Role::server, Role::client));

TEST_P(JsonConnection, reads_and_writes_described_structs) {
  serve();
  line.send(line.frame(text, R"({"x":1,"y":2})") + line.frame(text, R"({"x":3,)", false) +
            line.frame(0, R"("y":4})"));
  EXPECT_EQ(line.next(), R"(text:{"x":2,"y":1})");
  EXPECT_EQ(line.next(), R"(text:{"x":4,"y":3})");
  line.send(line.close_frame(1000));
  EXPECT_EQ(ended, "1000 by peer");
}

TEST_P(JsonConnection, throws_what_does_not_parse_and_goes_on_behind_it) {
  serve();
  line.send(line.frame(text, R"({"x":1})") + line.frame(text, R"({"x":7,"y":0})"));
  EXPECT_EQ(ended, "y: is missing: the message is not the JSON asked for then 7");
}

TEST_P(JsonConnection, takes_no_binary_message) {
  serve();
  line.send(line.frame(binary, R"({"x":1,"y":2})") + line.close_frame(1000));
  EXPECT_EQ(ended, "a binary message: the message is not the JSON asked for");
}

TEST_P(JsonConnection, closes_as_asked_and_says_why) {
  JsonOptions options;
  options.close_invalid = true;
  serve(options);
  line.send(line.frame(text, R"({"x":1,"y":[]})"));
  EXPECT_EQ(line.next(),
            "close:1007 y: a number is expected, not an array: the message is not the JSON asked "
            "for");
  line.send(line.close_frame(1007));
  EXPECT_EQ(ended.substr(0, 10), "1007 by us");
}

TEST_P(JsonConnection, closes_with_1003_for_binary_as_asked) {
  JsonOptions options;
  options.close_invalid = true;
  serve(options);
  line.send(line.frame(binary, "{}"));
  EXPECT_EQ(line.next().substr(0, 10), "close:1003");
}

TEST_P(JsonConnection, closes_with_1009_beyond_its_own_limit_as_asked) {
  JsonOptions options;
  options.close_invalid = true;
  options.size = 10;
  serve(options);
  line.send(line.frame(text, R"({"x":1,"y":2})"));
  EXPECT_EQ(line.next().substr(0, 10), "close:1009");
}

TEST_P(JsonConnection, has_short_forms_with_the_default_options) {
  auto connection = line.connect();
  const auto talk = [](Connection own, std::string& end) -> Task<> {
    const auto value = co_await read_json<boost::json::value>(own);
    co_await write_json(own, *value);
    const auto none = co_await read_json<int>(own);
    end = none ? "more" : "over";
    const bool sent = co_await write_json(own, 1);
    EXPECT_FALSE(sent) << "it has ended";
  };
  line.loop.run(talk(std::move(connection), ended));
  line.send(line.frame(text, R"([1, {"a": null}])"));
  EXPECT_EQ(line.next(), R"(text:[1,{"a":null}])");
  line.send(line.close_frame(1000));
  EXPECT_EQ(ended, "over");
}

}  // namespace
}  // namespace hotline::websocket
