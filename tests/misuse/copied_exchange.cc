// An exchange is answered once, by its one owner.
#include <utility>

#include <hotline/http/exchange.h>

void share(hotline::http::Exchange exchange) {
  hotline::http::Exchange copy = exchange;  // error: deleted
  hotline::http::Exchange moved = std::move(exchange);
}
