#include <hotline/asio_websocket.h>

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>

#include "http/server_core.h"
#include "net/asio_bridge.h"
#include "net/loop.h"
#include "net/tcp_stream.h"
#include "websocket/connection_core.h"

namespace hotline {
namespace {

Loop& loop_of(boost::asio::io_context& context) {
  return detail::LoopService::of(context).loop(context);
}

template <typename Ask>
Address address_by(Ask ask, int descriptor) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  auto* address = reinterpret_cast<sockaddr*>(&storage);
  return ask(descriptor, address, &size) == 0 ? Address::from(*address) : Address{};
}

// Awaits that a loop has no connection left.
class Emptied {
 public:
  explicit Emptied(Loop& loop) : loop_(loop), link_(std::make_shared<Emptied*>(this)) {}
  Emptied(const Emptied&) = delete;
  Emptied& operator=(const Emptied&) = delete;
  ~Emptied() { *link_ = nullptr; }

  bool await_ready() const noexcept { return false; }
  template <detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) {
    resumption_ = detail::Resumption{handle};
    loop_.when_empty([link = link_] {
      if (auto* waiting = *link) waiting->resumption_.resume();
    });
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  std::shared_ptr<Emptied*> link_;
  detail::Resumption resumption_;
};

}  // namespace

StreamPointer adopt_descriptor(boost::asio::io_context& context, int descriptor) {
  const auto flags = ::fcntl(descriptor, F_GETFL);
  if (flags < 0 || ::fcntl(descriptor, F_SETFL, flags | O_NONBLOCK) < 0) {
    const auto error = errno;
    ::close(descriptor);
    throw Error({error, std::system_category()}, "adopting a socket");
  }
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);  // none of unix sockets
  return TcpStream::adopt(loop_of(context), descriptor, address_by(::getpeername, descriptor),
                          address_by(::getsockname, descriptor));
}

void serve(http::Server& server, boost::asio::io_context& context, StreamPointer stream) {
  auto& loop = loop_of(context);
  Turn turn{loop};
  server.core().serve(loop, std::move(stream));
}

void drain(boost::asio::io_context& context) { loop_of(context).drain(); }

namespace detail {

using websocket::Connection;
using websocket::CoreReference;
using websocket::KeptMessage;

std::optional<Connection> accept_in(boost::asio::io_context& context,
                                    const websocket::Upgrader& upgrader,
                                    const http::Request& request, StreamPointer stream,
                                    std::string received) {
  return upgrader.accept(loop_of(context), request, std::move(stream), std::move(received));
}

boost::asio::io_context& connection_context(websocket::ConnectionCore& core) {
  return core.loop().context();
}

Task<std::optional<KeptMessage>> read_kept(CoreReference core) {
  Connection::Read read{*core};
  auto message = co_await read;
  if (!message) co_return std::nullopt;
  co_return std::move(*message).keep();
}

Task<bool> write_kept(CoreReference core, std::string text) {
  Connection::Write write{*core, protocol::Opcode::text, {text.data(), text.size()}, false};
  co_return co_await write;
}

Task<bool> write_kept(CoreReference core, std::vector<std::byte> binary) {
  const std::span<const char> bytes{reinterpret_cast<const char*>(binary.data()), binary.size()};
  Connection::Write write{*core, protocol::Opcode::binary, bytes, true};
  co_return co_await write;
}

Task<std::optional<Duration>> ping_kept(CoreReference core) {
  Connection::Ping ping{*core};
  co_return co_await ping;
}

Task<websocket::CloseStatus> closed_kept(CoreReference core) {
  Connection::Closed closed{*core};
  co_return co_await closed;
}

Task<> all_gone(boost::asio::io_context& context) {
  Emptied emptied{loop_of(context)};
  co_await emptied;
}

}  // namespace detail
}  // namespace hotline
