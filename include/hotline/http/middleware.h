#pragma once

#include <functional>

#include <hotline/http/exchange.h>

namespace hotline::http {

/// What stands around a handler: it looks at the request, then answers itself or lets `next` do it.
///
///     hotline::Task<> guard(http::Exchange exchange, const http::Handler& next) {
///       if (!is_known(exchange.request().header("Authorization"))) {
///         co_return co_await exchange.respond(http::Status::unauthorized, "who are you?\n");
///       }
///       co_await next(std::move(exchange));   // or, in a function that is no coroutine:
///     }                                       // return next(std::move(exchange));
///
/// `next` is valid as long as the middleware's coroutine runs. Once the exchange has been moved
/// into it, what was viewed of the request is gone with the answer: copy what is needed afterwards.
/// A handler that takes the connection over (a WebSocket) is part of `next`, too: the await lasts
/// as long as the connection, and the middleware's frame with it, unless it returns what next
/// returns. Called from all loops, like a Handler.
using Middleware = std::function<Task<>(Exchange exchange, const Handler& next)>;

/// A handler that is `handler` inside `middleware`: for one route. (Server::use is for all.) Throws
/// Error (bad_option) if one of them is empty.
Handler wrap(Middleware middleware, Handler handler);

}  // namespace hotline::http
