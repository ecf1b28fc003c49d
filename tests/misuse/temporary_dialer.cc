// A dial goes on with what the dialer has; g++ 12 would destroy options in a co_await twice,
// besides.
#include <hotline/websocket/dialer.h>
#include <hotline/websocket/reconnecting_dialer.h>

using hotline::websocket::Dialer;
using hotline::websocket::ReconnectingDialer;

hotline::Task<> hasty() {
  const Dialer dialer;
  ReconnectingDialer again{"ws://example.org/"};
  auto connection = co_await dialer.dial("ws://example.org/");
  auto next = co_await again.next();
  co_await Dialer{}.dial("ws://example.org/");              // error: deleted
  co_await ReconnectingDialer{"ws://example.org/"}.next();  // error: deleted
}
