#include "net/listener.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <hotline/base/error.h>

#include "net/tcp_stream.h"

namespace hotline {
namespace {

using Descriptor =
    boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

struct SocketAddress {
  sockaddr_storage storage{};
  socklen_t size = 0;

  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
};

SocketAddress socket_address(const Address& address) {
  SocketAddress result;
  if (address.is_ipv6()) {
    sockaddr_in6 in{};
    in.sin6_family = AF_INET6;
    in.sin6_port = htons(address.port());
    std::memcpy(&in.sin6_addr, address.bytes().data(), 16);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  } else {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(address.port());
    std::memcpy(&in.sin_addr, address.bytes().data(), 4);
    std::memcpy(&result.storage, &in, sizeof in);
    result.size = sizeof in;
  }
  return result;
}

class Socket {
 public:
  explicit Socket(int descriptor) : descriptor_(descriptor) {}
  Socket(Socket&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)) {}
  Socket& operator=(Socket&&) = delete;
  ~Socket() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  int get() const { return descriptor_; }
  int release() { return std::exchange(descriptor_, -1); }

 private:
  int descriptor_;
};

[[noreturn]] void fail(const char* what, const Address& address) {
  const auto error = errno;
  std::string context = "cannot ";
  context += what;
  context += ' ';
  context += address.to_string();
  if (error == EADDRINUSE) context += " (is another server running there?)";
  throw Error({error, std::system_category()}, context);
}

// All sockets of a port share it once each has been opened to that; before, the first one has it
// alone.
Socket open(const Address& address, bool shared) {
  Socket socket{::socket(address.is_ipv6() ? AF_INET6 : AF_INET,
                         SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (socket.get() < 0) fail("open a socket for", address);
  const int on = 1;
  ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (address.is_ipv6()) ::setsockopt(socket.get(), IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
  if (shared) ::setsockopt(socket.get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
  auto target = socket_address(address);
  if (::bind(socket.get(), target.get(), target.size) != 0) fail("bind", address);
  return socket;
}

Address local_address(int descriptor) {
  SocketAddress address;
  address.size = sizeof address.storage;
  if (::getsockname(descriptor, address.get(), &address.size) != 0) return {};
  return Address::from(*address.get());
}

}  // namespace

// One loop's socket. Callbacks hold it, so that it outlives a wait that is under way.
class Listener::Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(Loop& loop, Socket socket, const Accepted& accepted)
      : loop_(loop),
        descriptor_(socket.get()),
        waits_(loop.context(), socket.get()),
        pause_(*this),
        accepted_(accepted) {
    (void)socket.release();
  }

  void wait() {
    waits_.async_wait(Descriptor::wait_read,
                      [self = shared_from_this()](const boost::system::error_code& error) {
                        if (error || !self->waits_.is_open()) return;
                        Turn turn{self->loop_};
                        if (self->accept(batch)) self->wait();
                      });
  }

  void drain() noexcept {
    if (!waits_.is_open()) return;
    accept(1 << 16);
    close();
  }

  void close() noexcept {
    pause_.cancel();
    boost::system::error_code ignored;
    waits_.close(ignored);
  }

 private:
  // Few enough that a storm of connections does not hold up those that are there.
  static constexpr int batch = 32;

  class Pause final : public detail::Timer {
   public:
    explicit Pause(Acceptor& acceptor) : acceptor_(acceptor) {}

   private:
    void expired() noexcept override { acceptor_.wait(); }
    Acceptor& acceptor_;
  };

  // False: accepting pauses.
  bool accept(int most) noexcept {
    for (int i = 0; i < most; ++i) {
      SocketAddress remote;
      remote.size = sizeof remote.storage;
      const int descriptor =
          ::accept4(descriptor_, remote.get(), &remote.size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          pause();
          return false;
        }
        continue;  // that one connection has gone already
      }
      const int on = 1;
      ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      try {
        accepted_(loop_, TcpStream::adopt(loop_, descriptor, Address::from(*remote.get()),
                                          hotline::local_address(descriptor)));
      } catch (const std::exception& error) {
        loop_.log(LogLevel::error,
                  [&] { return std::string("cannot serve a connection: ") + error.what(); });
      }
    }
    return true;
  }

  // Without a descriptor the socket stays readable: waiting for it would spin.
  void pause() noexcept {
    using namespace std::chrono_literals;
    const auto now = loop_.now();
    if (now >= quiet_until_) {
      quiet_until_ = now + 10s;
      const auto error = errno;
      loop_.log(LogLevel::warning, [&] {
        return std::string("accepting pauses: ") + std::strerror(error) +
               "; raise the limit of open files (ulimit -n)";
      });
    }
    pause_.set(loop_, now + 100ms);
  }

  Loop& loop_;
  int descriptor_;
  Descriptor waits_;
  Pause pause_;
  const Accepted& accepted_;
  TimePoint quiet_until_ = TimePoint::min();
};

Listener::Listener(LoopGroup& loops, const std::string& address, std::uint16_t port,
                   Accepted accepted)
    : accepted_(std::move(accepted)) {
  const auto wanted = Address::parse(address, port);
  if (!wanted) {
    throw Error(Fault::bad_option, "address: \"" + escaped(address) + "\" is not an IP address");
  }
  std::vector<Socket> sockets;
  sockets.push_back(open(*wanted, false));
  local_ = hotline::local_address(sockets[0].get());
  const int on = 1;
  if (loops.size() > 1) {
    ::setsockopt(sockets[0].get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    for (std::size_t i = 1; i < loops.size(); ++i) sockets.push_back(open(local_, true));
  }
  for (auto& socket : sockets) {
    if (::listen(socket.get(), 4096) != 0) fail("listen on", local_);
  }
  for (std::size_t i = 0; i < loops.size(); ++i) {
    acceptors_.push_back(std::make_shared<Acceptor>(loops[i], std::move(sockets[i]), accepted_));
  }
}

Listener::~Listener() {
  for (auto& acceptor : acceptors_) acceptor->close();
}

void Listener::start(std::size_t loop_index) { acceptors_[loop_index]->wait(); }

void Listener::drain(std::size_t loop_index) noexcept { acceptors_[loop_index]->drain(); }

}  // namespace hotline
