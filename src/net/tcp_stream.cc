#include "net/tcp_stream.h"

#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <utility>

#include "net/loop.h"

namespace hotline {

// What Asio calls. It counts the wait down even where it is destroyed unused, with the io_context.
class TcpStream::Handler {
 public:
  Handler(TcpStream& stream, Direction direction) : stream_(&stream), direction_(direction) {}
  Handler(Handler&& other) noexcept
      : stream_(std::exchange(other.stream_, nullptr)), direction_(other.direction_) {}
  Handler& operator=(Handler&&) = delete;
  ~Handler() {
    if (stream_) stream_->completed(direction_, false);
  }
  void operator()(const boost::system::error_code&) {
    std::exchange(stream_, nullptr)->completed(direction_, true);
  }

 private:
  TcpStream* stream_;
  Direction direction_;
};

StreamPointer TcpStream::adopt(Loop& loop, int descriptor, const Address& remote,
                               const Address& local) {
  try {
    return StreamPointer{new TcpStream{loop, descriptor, remote, local}};
  } catch (...) {
    ::close(descriptor);
    throw;
  }
}

TcpStream::TcpStream(Loop& loop, int descriptor, const Address& remote, const Address& local)
    : loop_(loop),
      waits_(loop.context(), descriptor),
      descriptor_(descriptor),
      remote_(remote),
      local_(local) {}

Transfer TcpStream::try_read(std::span<char> bytes) noexcept {
  for (;;) {
    const auto count = ::recv(descriptor_, bytes.data(), bytes.size(), MSG_DONTWAIT);
    if (count < 0 && errno == EINTR) continue;
    if (polled_) {
      polled_ = false;
      count > 0 ? odds_.found() : odds_.missed();
    }
    if (count >= 0) return {static_cast<std::size_t>(count), 0};
    return {0, errno == EWOULDBLOCK ? EAGAIN : errno};
  }
}

Transfer TcpStream::try_write(std::span<const char> head, std::span<const char> body) noexcept {
  constexpr auto flags = MSG_NOSIGNAL | MSG_DONTWAIT;
  for (;;) {
    ssize_t count = 0;
    if (body.empty()) {
      count = ::send(descriptor_, head.data(), head.size(), flags);
    } else {
      iovec parts[2] = {{const_cast<char*>(head.data()), head.size()},
                        {const_cast<char*>(body.data()), body.size()}};
      msghdr message{};
      message.msg_iov = parts;
      message.msg_iovlen = 2;
      count = ::sendmsg(descriptor_, &message, flags);
    }
    if (count >= 0) return {static_cast<std::size_t>(count), 0};
    if (errno != EINTR) return {0, errno == EWOULDBLOCK ? EAGAIN : errno};
  }
}

void TcpStream::wait(Direction direction, Waiter& waiter) noexcept {
  waiters_[direction] = &waiter;
  if (std::exchange(owed_[direction], true)) return;
  if (direction == reading) {
    if (polled_) {  // and who heard of it did not even try
      polled_ = false;
      odds_.missed();
    }
    if (odds_.favourable() && loop_.polls().add(*this)) return;
  }
  wait_by_epoll(direction);
}

void TcpStream::wait_by_epoll(Direction direction) noexcept {
  if (direction == reading) odds_.waited();
  waits_.async_wait(direction == reading ? Descriptor::wait_read : Descriptor::wait_write,
                    Handler{*this, direction});
}

void TcpStream::polled(bool in_company) noexcept {
  if (waiters_[reading]) {
    polled_ = in_company;
    if (!in_company) odds_.missed();
    if (!odds_.favourable()) return wait_by_epoll(reading);
  }
  completed(reading, true);
}

void TcpStream::cancel_wait(Waiter& waiter) noexcept {
  for (auto*& waiting : waiters_) {
    if (waiting == &waiter) waiting = nullptr;
  }
}

void TcpStream::completed(Direction direction, bool invoked) noexcept {
  owed_[direction] = false;
  auto* waiter = std::exchange(waiters_[direction], nullptr);
  if (waiter && invoked && !released_) {
    const bool outer = calling_;
    calling_ = true;
    {
      Turn turn{loop_};
      if (direction == reading) loop_.polls().told();
      waiter->ready();
    }
    calling_ = outer;
  }
  free_if_unused();
}

void TcpStream::set_addresses(const Address& remote, const Address& local) noexcept {
  remote_ = remote;
  local_ = local;
}

void TcpStream::watch(StreamWatcher* watcher) noexcept {
  if (auto* before = std::exchange(watcher_, watcher)) before->stream_gone(remote_);
}

void TcpStream::shut_down() noexcept { ::shutdown(descriptor_, SHUT_WR); }

void TcpStream::release() noexcept {
  released_ = true;
  waiters_[reading] = waiters_[writing] = nullptr;
  boost::system::error_code ignored;
  waits_.close(ignored);  // callbacks still owed come later, by the loop
  watch(nullptr);
  free_if_unused();
}

void TcpStream::free_if_unused() noexcept {
  if (released_ && !calling_ && !owed_[reading] && !owed_[writing]) delete this;
}

}  // namespace hotline
