#include "net/linger.h"

#include <new>
#include <span>
#include <utility>

#include "net/loop.h"

namespace hotline {
namespace {

class Lingering final : private Waiter, private detail::Timer, private detail::Drainable {
 public:
  Lingering(Loop& loop, StreamPointer stream) : loop_(loop), stream_(std::move(stream)) {
    using namespace std::chrono_literals;
    loop_.connection_opened();
    join(loop_);
    set(loop_, loop_.now() + 2s);
    stream_->shut_down();
    stream_->wait_readable(*this);
  }

 private:
  ~Lingering() { loop_.connection_closed(); }

  void ready() noexcept override {
    const auto block = loop_.blocks().take();
    const auto transfer = stream_->try_read(block);
    loop_.blocks().give_back(block.data());
    dropped_ += transfer.size;
    if (transfer.failed() || transfer.ended() || dropped_ > (std::size_t{1} << 20)) {
      delete this;
    } else {
      stream_->wait_readable(*this);
    }
  }
  void expired() noexcept override { delete this; }
  void drain() noexcept override {}  // 2 s are within any drain
  void abandon() noexcept override { delete this; }

  Loop& loop_;
  StreamPointer stream_;
  std::size_t dropped_ = 0;
};

class SendingOff final : private Waiter, private detail::Timer, private detail::Drainable {
 public:
  SendingOff(Loop& loop, StreamPointer stream, std::string bytes)
      : loop_(loop), stream_(std::move(stream)), bytes_(std::move(bytes)) {
    using namespace std::chrono_literals;
    loop_.connection_opened();
    join(loop_);
    set(loop_, loop_.now() + 30s);
    stream_->wait_writable(*this);
  }

 private:
  ~SendingOff() { loop_.connection_closed(); }

  void ready() noexcept override {
    const auto transfer = stream_->try_write(std::span{bytes_}.subspan(sent_));
    sent_ += transfer.size;
    if (!transfer.failed() && sent_ < bytes_.size()) return stream_->wait_writable(*this);
    if (!transfer.failed()) linger(loop_, std::move(stream_));
    delete this;
  }
  void expired() noexcept override { delete this; }
  void drain() noexcept override {}  // which has its own time limit
  void abandon() noexcept override { delete this; }

  Loop& loop_;
  StreamPointer stream_;
  const std::string bytes_;
  std::size_t sent_ = 0;
};

}  // namespace

void send_off(Loop& loop, StreamPointer stream, std::string bytes) noexcept {
  if (auto* sending = new (std::nothrow) SendingOff{loop, std::move(stream), std::move(bytes)}) {
    (void)sending;  // it ends itself
  }
}

void linger(Loop& loop, StreamPointer stream) noexcept {
  if (auto* lingering = new (std::nothrow) Lingering{loop, std::move(stream)}) {
    (void)lingering;  // it ends itself
  }
}

}  // namespace hotline
