// A connection has one owner; other threads hold a Sender.
#include <utility>

#include <hotline/websocket/connection.h>

void share(hotline::websocket::Connection connection) {
  hotline::websocket::Connection copy = connection;  // error: deleted
  hotline::websocket::Connection moved = std::move(connection);
}
