// The awaiters refer to the connection, so they cannot be had from a temporary.
#include <hotline/websocket/connection.h>

hotline::websocket::Connection make_connection();

hotline::Task<> hasty() {
  hotline::websocket::Connection connection = make_connection();
  co_await connection.read();
  co_await make_connection().read();       // error: deleted
  co_await make_connection().write("hi");  // error: deleted
  co_await make_connection().ping();       // error: deleted
  co_await make_connection().close();      // error: deleted
  co_await make_connection().closed();     // error: deleted
}
