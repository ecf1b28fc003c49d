#include <hotline/http/middleware.h>

#include <utility>

#include <hotline/base/error.h>

namespace hotline::http {

Handler wrap(Middleware middleware, Handler handler) {
  if (!middleware) throw Error(Fault::bad_option, "wrap: the middleware is empty");
  if (!handler) throw Error(Fault::bad_option, "wrap: the handler is empty");
  return [middleware = std::move(middleware), next = std::move(handler)](Exchange exchange) {
    return middleware(std::move(exchange), next);
  };
}

}  // namespace hotline::http
