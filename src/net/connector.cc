#include "net/connector.h"

#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <charconv>

#include <hotline/base/error.h>
#include <hotline/net/sleep.h>

#include "net/happy_eyeballs.h"
#include "net/loop.h"
#include "net/resolver.h"
#include "net/stream_wait.h"
#include "net/tcp_stream.h"
#include "net/unix_socket.h"

namespace hotline {
namespace {

int pending_error(int descriptor) noexcept {
  int error = 0;
  socklen_t size = sizeof error;
  return ::getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &error, &size) == 0 ? error : errno;
}

StreamPointer adopt(Loop& loop, Socket socket, const Address& remote) {
  const auto local = local_address(socket.get());
  return TcpStream::adopt(loop, socket.release(), remote, local);
}

// An interface's number, or 0 where there is none.
unsigned zone_number(const std::string& zone) noexcept {
  unsigned number = 0;
  const auto* end = zone.data() + zone.size();
  const auto parsed = std::from_chars(zone.data(), end, number);
  return parsed.ec == std::errc{} && parsed.ptr == end ? number : ::if_nametoindex(zone.c_str());
}

Task<StreamPointer> connect_in_zone(Address address, unsigned zone) {
  auto& loop = Loop::require();
  auto stream = adopt(loop, begin_connect(address, zone), address);
  StreamWait wait{stream, StreamWait::writable};
  co_await wait;
  const auto local = local_address(stream->descriptor());
  errno = pending_error(stream->descriptor());
  // A port of our own that was free may have been chosen for this end: then it talks to itself.
  if (errno == 0 && local == address) errno = ECONNREFUSED;
  if (errno != 0) fail_at("connect to", address.to_string());
  stream->set_addresses(address, local);
  co_return stream;
}

}  // namespace

Task<StreamPointer> connect_address(Address address) { return connect_in_zone(address, 0); }

Task<StreamPointer> connect_tcp(std::string host, std::uint16_t port, ConnectTimings* timings) {
  return connect_tcp(std::move(host), port, {}, timings);
}

Task<StreamPointer> connect_tcp(std::string host, std::uint16_t port, ResolverOptions resolver,
                                ConnectTimings* timings) {
  auto& loop = Loop::require();
  const auto percent = std::min(host.find('%'), host.size());
  if (const auto address = Address::parse(host.substr(0, percent), port)) {
    const auto begun = loop.now();
    if (timings) timings->name = Duration{};
    unsigned zone = 0;
    if (percent < host.size()) {
      zone = zone_number(host.substr(percent + 1));
      if (zone == 0) {
        errno = ENODEV;
        fail_at("connect to", escaped(host));
      }
    }
    auto stream = co_await connect_in_zone(*address, zone);
    if (timings) timings->connect = loop.now() - begun;
    co_return stream;
  }
  ConnectRace race{loop, host + ":" + std::to_string(port), connect_address, timings};
  std::optional<Lookup> lookup;
  if (is_localhost(host)) {
    race.answered(Family::ipv6, {{*Address::parse("::1", port)}, {}});
    race.answered(Family::ipv4, {{*Address::parse("127.0.0.1", port)}, {}});
  } else {
    lookup.emplace(loop, host, port, race, resolver);
  }
  auto stream = co_await race;
  co_return stream;
}

Task<StreamPointer> connect_unix(std::string path) {
  auto& loop = Loop::require();
  using namespace std::chrono_literals;
  constexpr Duration longest_pause = 200ms;
  constexpr Duration patience = 5s;
  const auto give_up = loop.now() + patience;
  // Nobody tells when a full queue has room again.
  for (Duration pause = 1ms;; pause = std::min(2 * pause, longest_pause)) {
    try {
      co_return adopt(loop, connect_unix_socket(path), Address::unix_socket());
    } catch (const Error& error) {
      if (error.code().value() != EAGAIN || loop.now() >= give_up) throw;
    }
    co_await sleep(pause);
  }
}

}  // namespace hotline
