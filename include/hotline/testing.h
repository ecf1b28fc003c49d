#pragma once

/// For tests of what is built on Hotline, with any test framework: handlers and whole servers in
/// memory and in virtual time, with faults that follow from a seed. Link hotline::testing.
///
///     hotline::testing::VirtualLoop loop;
///     hotline::http::Server server;            // never listens
///     add_routes(server);                      // the code under test
///     auto caller = hotline::testing::call(loop, server, "/echo");
///     caller.send("hello");
///     assert(caller.receive() == "hello");
///     loop.advance(1h);                        // takes no time
///     assert(caller.is_open());
#include <hotline/testing/call.h>
#include <hotline/testing/seeds.h>
#include <hotline/testing/virtual_loop.h>
