#include "net/connector.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <sys/socket.h>

#include <cerrno>

#include <hotline/base/error.h>
#include <hotline/net/deadline.h>
#include <hotline/net/run.h>

#include "net/net_fixture.h"
#include "net/socket.h"
#include "net/stream_wait.h"
#include "net/unix_socket.h"

namespace hotline {
namespace {

/// A socket of this machine that listens, and accepts only when it is told to.
struct Place {
  explicit Place(const char* host = "127.0.0.1", int queue = 16)
      : socket(bind_tcp(*Address::parse(host, 0), false)), address(local_address(socket.get())) {
    EXPECT_EQ(::listen(socket.get(), queue), 0);
  }
  Socket accept() const { return Socket{::accept4(socket.get(), nullptr, nullptr, SOCK_CLOEXEC)}; }

  Socket socket;
  Address address;
};

/// Where nobody listens.
Address nowhere() { return local_address(bind_tcp(*Address::parse("127.0.0.1", 0), false).get()); }

std::error_code failure_of(Task<StreamPointer> task, std::string* text = nullptr) {
  try {
    (void)run(std::move(task));
  } catch (const Error& error) {
    if (text) *text = error.what();
    return error.code();
  }
  return {};
}

Task<std::string> hear(StreamPointer stream) {
  StreamWait wait{stream, StreamWait::readable};
  co_await wait;
  co_return read_once(*stream);
}

Task<std::string> connect_and_hear(const Place& place, std::string_view said) {
  auto stream = co_await connect_tcp("127.0.0.1", place.address.port());
  EXPECT_EQ(stream->remote_address(), place.address);
  EXPECT_TRUE(stream->local_address().is_loopback());
  EXPECT_NE(stream->local_address().port(), 0);
  EXPECT_TRUE(sends_at_once(*stream));
  const auto peer = place.accept();
  EXPECT_EQ(::send(peer.get(), said.data(), said.size(), 0), std::ssize(said));
  co_return co_await hear(std::move(stream));
}

TEST(Connect, gives_a_stream_to_an_address) {
  const auto before = open_descriptors();
  {
    const Place place;
    EXPECT_EQ(run(connect_and_hear(place, "hello")), "hello");
  }
  EXPECT_EQ(open_descriptors(), before);
}

/// A link-local address of this machine with its zone; that of loopback if there is none.
std::string address_in_a_zone() {
  std::string found = "::1%lo";
  ifaddrs* all = nullptr;
  if (::getifaddrs(&all) != 0) return found;
  for (const auto* one = all; one; one = one->ifa_next) {
    if (!one->ifa_addr || (one->ifa_flags & IFF_UP) == 0) continue;
    const auto address = Address::from(*one->ifa_addr);
    if (address.host().starts_with("fe80:")) found = address.host() + "%" + one->ifa_name;
  }
  ::freeifaddrs(all);
  return found;
}

Task<std::string> connected_to(std::string host, std::uint16_t port) {
  const auto stream = co_await connect_tcp(std::move(host), port);
  co_return stream->remote_address().host();
}

TEST(Connect, gives_a_stream_to_an_address_in_a_zone) {
  if (!has_ipv6()) GTEST_SKIP() << "no IPv6 here";
  const Place place{"::"};
  const auto host = address_in_a_zone();
  const auto zone = host.find('%');
  const auto port = place.address.port();
  EXPECT_EQ(run(connected_to(host, port)), host.substr(0, zone));
  const auto number = std::to_string(::if_nametoindex(host.substr(zone + 1).c_str()));
  EXPECT_EQ(run(connected_to(host.substr(0, zone + 1) + number, port)), host.substr(0, zone));
  for (const auto* bad : {"fe80::1%nowhere", "fe80::1%", "fe80::1%0", "fe80::1%-1"}) {
    std::string text;
    EXPECT_EQ(failure_of(connect_tcp(bad, 80), &text),
              std::error_code(ENODEV, std::system_category()));
    EXPECT_EQ(text, "cannot connect to " + std::string(bad) + ": No such device");
  }
  std::string text;
  (void)failure_of(connect_tcp("fe80::1", 80), &text);
  EXPECT_NE(text.find("without its zone"), std::string::npos) << text;
}

TEST(Connect, names_the_address_that_it_cannot_reach) {
  const auto before = open_descriptors();
  const auto address = nowhere();
  std::string text;
  const auto code = failure_of(connect_tcp("127.0.0.1", address.port()), &text);
  EXPECT_EQ(code, std::error_code(ECONNREFUSED, std::system_category()));
  EXPECT_EQ(code, Condition::unreachable);
  EXPECT_EQ(text, "cannot connect to " + address.to_string() + ": Connection refused");
  EXPECT_EQ(open_descriptors(), before);
}

Task<bool> give_up(Task<StreamPointer> task) {
  auto limited = deadline(20ms, std::move(task));
  try {
    co_await limited;
  } catch (const Error& error) {
    co_return error.is(Condition::timed_out);
  }
  co_return false;
}

TEST(Connect, closes_its_socket_when_it_is_given_up) {
  const auto before = open_descriptors();
  {
    // A queue that is full answers nobody.
    const Place place{"127.0.0.1", 0};
    const auto first = begin_connect(place.address);
    const auto second = begin_connect(place.address);
    EXPECT_TRUE(run(give_up(connect_address(place.address))));
  }
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Connect, is_cancelled_by_a_drain) {
  const Place place{"127.0.0.1", 0};
  const auto first = begin_connect(place.address);
  const auto second = begin_connect(place.address);
  TestLoop loop;
  const auto attempt = [](const Place& to, bool& cancelled) -> Task<> {
    try {
      (void)co_await connect_address(to.address);
    } catch (const Cancelled&) {
      cancelled = true;
    }
  };
  bool cancelled = false;
  loop.run(attempt(place, cancelled));
  EXPECT_EQ(loop.waiting(), 1u);
  loop.drain();
  EXPECT_TRUE(cancelled);
}

TEST(Connect, ends_with_its_loop) {
  const auto before = open_descriptors();
  {
    const Place place{"127.0.0.1", 0};
    const auto first = begin_connect(place.address);
    const auto second = begin_connect(place.address);
    std::optional<Loop> loop;
    loop.emplace();
    TaskGroup group;
    const auto attempt = [](const Place& to) -> Task<> {
      (void)co_await connect_address(to.address);
    };
    {
      Turn turn{*loop};
      group.spawn(attempt(place));
    }
    loop.reset();
    EXPECT_EQ(group.size(), 1u);
  }
  EXPECT_EQ(open_descriptors(), before);
}

Task<std::string> connect_unix_and_hear(const UnixSocket& socket) {
  auto stream = co_await connect_unix(socket.path());
  EXPECT_TRUE(stream->remote_address().is_unix());
  const Socket peer{::accept4(socket.socket().get(), nullptr, nullptr, SOCK_CLOEXEC)};
  EXPECT_EQ(::send(peer.get(), "hi", 2, 0), 2);
  co_return co_await hear(std::move(stream));
}

TEST(Connect, gives_a_stream_to_a_unix_socket) {
  const UnixSocket socket{::testing::TempDir() + "hotline-connector.sock"};
  EXPECT_EQ(run(connect_unix_and_hear(socket)), "hi");
}

Task<> note_ending(Task<StreamPointer> task, std::string& log) {
  try {
    (void)co_await std::move(task);
    log = "connected";
  } catch (const Error& error) {
    log = error.code().message();
  }
}

TEST(Connect, waits_five_seconds_for_room_in_the_queue_of_a_unix_socket) {
  const UnixSocket socket{::testing::TempDir() + "hotline-connector-full.sock"};
  ASSERT_EQ(::listen(socket.socket().get(), 0), 0);  // for one
  const auto first = connect_unix_socket(socket.path());
  for (const bool accepted : {false, true}) {
    TestLoop loop;
    std::string log;
    loop.run(note_ending(connect_unix(socket.path()), log));
    loop.advance(4s);
    EXPECT_EQ(log, "");
    if (accepted) {
      const Socket peer{::accept4(socket.socket().get(), nullptr, nullptr, SOCK_CLOEXEC)};
      EXPECT_TRUE(peer);
    }
    loop.advance(1200ms);
    EXPECT_EQ(log, accepted ? "connected" : "Resource temporarily unavailable");
  }
}

TEST(Connect, names_the_path_that_it_cannot_reach) {
  std::string text;
  const auto code = failure_of(connect_unix("/nonexistent/x.sock"), &text);
  EXPECT_EQ(code, std::error_code(ENOENT, std::system_category()));
  EXPECT_EQ(text, "cannot connect to unix:/nonexistent/x.sock: No such file or directory");
  EXPECT_EQ(failure_of(connect_unix(std::string(200, 'x'))), Fault::bad_option);
  EXPECT_EQ(failure_of(connect_unix("")), Fault::bad_option);
}

}  // namespace
}  // namespace hotline
