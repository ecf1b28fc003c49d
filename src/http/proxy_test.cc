#include "http/proxy.h"

#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <string_view>
#include <thread>

#include <gtest/gtest.h>

#include <hotline/base/error.h>
#include <hotline/net/run.h>

#include "net/socket.h"
#include "net/stream_wait.h"

namespace hotline::http {
namespace {

struct Failure {
  std::error_code code;
  std::string text;
};

Failure failure_of(Task<StreamPointer> task) {
  try {
    (void)run(std::move(task));
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
  return {};
}

TEST(ConnectThrough, says_that_it_is_the_proxy_that_cannot_be_reached) {
  const auto address = local_address(bind_tcp(*Address::parse("127.0.0.1", 0), false).get());
  const Proxy proxy{Proxy::Kind::http, "127.0.0.1", address.port(), "ann", "secret"};
  const auto failure = failure_of(connect_through(proxy, "example.org", 80, nullptr));
  EXPECT_EQ(failure.code, std::error_code(ECONNREFUSED, std::system_category()));
  EXPECT_EQ(failure.text, "the proxy http://" + address.to_string() + ": cannot connect to " +
                              address.to_string() + ": Connection refused");
}

TEST(ConnectThrough, says_that_it_is_the_proxy_that_has_no_address) {
  const Proxy proxy{Proxy::Kind::socks5, "a..b", 1080, {}, {}};
  const auto failure = failure_of(connect_through(proxy, "example.org", 80, nullptr));
  EXPECT_EQ(failure.code, Fault::name_not_found);
  EXPECT_EQ(failure.text,
            "the proxy socks5://a..b:1080: a..b:1080 (this cannot be a name): the name has no "
            "address");
}

// Says yes to whoever comes first, and then a word of the target's.
void serve_one(int listener, std::string& heard) {
  pollfd comes{.fd = listener, .events = POLLIN, .revents = 0};
  ASSERT_EQ(::poll(&comes, 1, 20'000), 1);  // the listener does not wait
  const Socket peer{::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)};
  char bytes[256];
  while (!heard.ends_with("\r\n\r\n")) {
    const auto count = ::recv(peer.get(), bytes, sizeof bytes, 0);
    if (count <= 0) return;
    heard.append(bytes, static_cast<std::size_t>(count));
  }
  constexpr std::string_view words = "HTTP/1.1 200 OK\r\n\r\nhello";
  EXPECT_EQ(::send(peer.get(), words.data(), words.size(), MSG_NOSIGNAL), std::ssize(words));
}

Task<std::string> hear_through(Proxy proxy, ConnectTimings& timings) {
  auto stream = co_await connect_through(proxy, "example.org", 80, nullptr, &timings);
  StreamWait wait{stream, StreamWait::readable};
  co_await wait;
  char bytes[16];
  const auto transfer = stream->try_read(bytes);
  co_return std::string(bytes, transfer.size);
}

TEST(ConnectThrough, gives_the_targets_stream_and_tells_how_long_it_took) {
  const auto listener = bind_tcp(*Address::parse("127.0.0.1", 0), false);
  ASSERT_EQ(::listen(listener.get(), 1), 0);
  const auto address = local_address(listener.get());
  std::string heard;
  std::thread server{[&] { serve_one(listener.get(), heard); }};
  ConnectTimings timings;
  const Proxy proxy{Proxy::Kind::http, "localhost", address.port(), {}, {}};
  EXPECT_EQ(run(hear_through(proxy, timings)), "hello");
  server.join();
  EXPECT_TRUE(heard.starts_with("CONNECT example.org:80 HTTP/1.1\r\n")) << heard;
  EXPECT_TRUE(timings.name && timings.connect && timings.proxy);
  EXPECT_GE(*timings.proxy, Duration{});
}

}  // namespace
}  // namespace hotline::http
