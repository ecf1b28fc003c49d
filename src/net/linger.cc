#include "net/linger.h"

#include <new>

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

}  // namespace

void linger(Loop& loop, StreamPointer stream) noexcept {
  if (auto* lingering = new (std::nothrow) Lingering{loop, std::move(stream)}) {
    (void)lingering;  // it ends itself
  }
}

}  // namespace hotline
