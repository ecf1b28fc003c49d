// g++ 12 destroys twice an aggregate that is made inside a co_await expression: it needs a name.
#include <hotline/json.h>

struct Point {
  int x = 0;
  int y = 0;
};
BOOST_DESCRIBE_STRUCT(Point, (), (x, y))

hotline::Task<> send(hotline::websocket::Connection& connection) {
  const Point point{1, 2};
  co_await hotline::write_json(connection, point);
  co_await hotline::write_json(connection, 7);
  hotline::Json json{connection};
  co_await json.write(point);
  co_await hotline::write_json(connection, Point{1, 2});  // error: deleted
  co_await json.write(Point{1, 2});                       // error: deleted
}
