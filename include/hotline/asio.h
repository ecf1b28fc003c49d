#pragma once

// The bridge to Boost.Asio, in both directions:
//
//     co_await timer.async_wait(hotline::use_task);                // an Asio operation in a Task
//     hotline::async_start(context, work(), boost::asio::use_future);        // a Task in Asio code
//     hotline::accept(upgrader, beast_request, std::move(socket), rest);     // in your own server
//     hotline::async_read(connection, boost::asio::use_awaitable);           // and without a Task
//
// Needs Boost 1.81 or later.

#include <hotline/asio_start.h>
#include <hotline/asio_use_task.h>
#include <hotline/asio_websocket.h>
