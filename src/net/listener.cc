#include "net/listener.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include <hotline/base/error.h>

#include "net/tcp_stream.h"

namespace hotline {
namespace {

using Descriptor =
    boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

// So many wait, at most, until a loop comes to them.
constexpr int queue = 4096;

}  // namespace

// One loop's socket. Callbacks hold it, so that it outlives a wait that is under way.
class Listener::Acceptor : public std::enable_shared_from_this<Acceptor> {
 public:
  Acceptor(Loop& loop, Socket socket, const Listener& listener)
      : loop_(loop),
        descriptor_(socket.get()),
        waits_(loop.context(), socket.get()),
        pause_(*this),
        listener_(listener) {
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
      sockaddr_storage storage{};
      auto* remote = reinterpret_cast<sockaddr*>(&storage);
      socklen_t size = sizeof storage;
      const int descriptor = ::accept4(descriptor_, remote, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
      if (descriptor < 0) {
        if (errno == EAGAIN || errno == EWOULDBLOCK) return true;
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
          pause("; raise the limit of open files (ulimit -n)");
          return false;
        }
        if (errno == EINVAL || errno == EOPNOTSUPP) {
          pause(" (who opened the socket has shut it down?)");
          return false;
        }
        continue;  // that one connection has gone already
      }
      const int on = 1;
      if (!listener_.address().is_unix()) {
        ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
      }
      try {
        listener_.accepted_(loop_,
                            TcpStream::adopt(loop_, descriptor, Address::from(*remote),
                                             hotline::local_address(descriptor)),
                            listener_);
      } catch (const std::exception& error) {
        loop_.log(LogLevel::error,
                  [&] { return std::string("cannot serve a connection: ") + error.what(); });
      }
    }
    return true;
  }

  // While nothing can be accepted the socket stays readable: waiting for it would spin.
  void pause(const char* advice) noexcept {
    using namespace std::chrono_literals;
    const auto now = loop_.now();
    if (now >= quiet_until_) {
      quiet_until_ = now + 10s;
      const auto error = errno;
      loop_.log(LogLevel::warning, [&] {
        return "accepting on " + listener_.name() + " pauses: " + std::strerror(error) + advice;
      });
    }
    pause_.set(loop_, now + 100ms);
  }

  Loop& loop_;
  int descriptor_;
  Descriptor waits_;
  Pause pause_;
  const Listener& listener_;
  TimePoint quiet_until_ = TimePoint::min();
};

Listener::Listener(LoopGroup& loops, const Address& address, Accepted accepted)
    : accepted_(std::move(accepted)) {
  std::vector<Socket> sockets;
  sockets.push_back(bind_tcp(address, false));
  local_ = hotline::local_address(sockets[0].get());
  name_ = local_.to_string();
  const int on = 1;
  if (loops.size() > 1) {
    ::setsockopt(sockets[0].get(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    for (std::size_t i = 1; i < loops.size(); ++i) sockets.push_back(bind_tcp(local_, true));
  }
  for (auto& socket : sockets) {
    if (::listen(socket.get(), queue) != 0) fail_at("listen on", name_);
  }
  for (std::size_t i = 0; i < loops.size(); ++i) add(loops[i], std::move(sockets[i]));
}

Listener::Listener(LoopGroup& loops, std::unique_ptr<UnixSocket> socket, Accepted accepted)
    : local_(Address::unix_socket()),
      name_("unix:" + socket->path()),
      accepted_(std::move(accepted)),
      unix_(std::move(socket)) {
  share(loops, unix_->socket());
}

Listener::Listener(LoopGroup& loops, PassedSocket socket, Accepted accepted)
    : local_(socket.address), name_(std::move(socket.name)), accepted_(std::move(accepted)) {
  share(loops, socket.socket);
}

Listener::~Listener() {
  for (auto& acceptor : acceptors_) acceptor->close();
}

// Every loop is woken for a connection, and the first one takes it.
void Listener::share(LoopGroup& loops, const Socket& socket) {
  for (auto& loop : loops) add(*loop, socket.duplicate());
}

void Listener::add(Loop& loop, Socket socket) {
  acceptors_.push_back(std::make_shared<Acceptor>(loop, std::move(socket), *this));
}

void Listener::start(std::size_t loop_index) { acceptors_[loop_index]->wait(); }

void Listener::drain(std::size_t loop_index) noexcept {
  // The path goes first: whoever has found the socket is then in its queue.
  if (unix_ && !path_removed_.exchange(true)) unix_->remove();
  acceptors_[loop_index]->drain();
}

}  // namespace hotline
