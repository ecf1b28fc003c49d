// The awaiters refer to the exchange, so they cannot be had from a temporary.
#include <hotline/base/task.h>
#include <hotline/http/exchange.h>

hotline::http::Exchange make_exchange();

hotline::Task<> hasty() {
  hotline::http::Exchange exchange = make_exchange();
  co_await exchange.respond(hotline::http::Status::ok, "hello\n");
  auto stream = co_await exchange.hijack();
  co_await make_exchange().respond(hotline::http::Status::ok, "hello\n");  // error: deleted
  stream = co_await make_exchange().hijack();                              // error: deleted
}
