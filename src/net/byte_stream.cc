#include <hotline/net/byte_stream.h>

#include <algorithm>
#include <utility>

#include <hotline/base/error.h>

#include "net/linger.h"
#include "net/loop.h"
#include "net/output.h"

namespace hotline {
namespace {

const Address no_address;

class Room final : public detail::Segment {
 public:
  explicit Room(Output& output) : output_(output) {}
  ~Room() { output_.abandon(*this); }

  bool await_ready() noexcept { return !output_.wait_if_high(*this); }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = detail::Resumption{handle};
  }
  void await_resume() const noexcept {}

 private:
  void sent() noexcept override { resumption_.resume(); }

  Output& output_;
  detail::Resumption resumption_;
};

}  // namespace

// Outlives its handle while bytes are still to be sent.
class ByteStream::Core final : private Waiter,
                               private OutputListener,
                               private detail::Timer,
                               private detail::Drainable {
 private:
  // A read that waits. It may outlive the core, and forgets it then.
  class Readable {
   public:
    explicit Readable(Core& core) : core_(&core) {}
    Readable(const Readable&) = delete;
    Readable& operator=(const Readable&) = delete;
    ~Readable() {
      if (!core_ || core_->reader_ != this) return;
      core_->reader_ = nullptr;
      core_->stream_->cancel_wait(*core_);
    }

    bool await_ready() noexcept {
      if (!core_->stream_) forget();
      return core_ == nullptr;
    }
    template <typename Promise>
    void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
      resumption_ = detail::Resumption{handle};
      core_->reader_ = this;
      core_->stream_->wait_readable(*core_);
    }
    bool await_resume() const noexcept { return core_ != nullptr; }

    bool cancelled() const noexcept { return cancelled_; }

    void wake() noexcept { resumption_.resume(); }
    void drain() noexcept {
      cancelled_ = true;
      wake();
    }
    void forget() noexcept { core_ = nullptr; }

   private:
    Core* core_;
    bool cancelled_ = false;
    detail::Resumption resumption_;
  };

 public:
  Core(Loop& loop, StreamPointer stream, std::string received, std::string_view unsent)
      : loop_(loop),
        stream_(std::move(stream)),
        output_(loop, *this),
        received_(std::move(received)) {
    loop_.connection_opened();
    join(loop_);
    output_.attach(*stream_);
    if (!unsent.empty()) output_.write(unsent, {});
  }

  Task<std::size_t> read_some(std::span<char> bytes) {
    if (!received_.empty()) {
      const auto count = std::min(bytes.size(), received_.size());
      std::copy_n(received_.data(), count, bytes.data());
      received_.erase(0, count);
      co_return count;
    }
    if (reader_) throw Error(Fault::concurrent_read);
    for (;;) {
      if (stream_ && loop_.draining() && !std::exchange(drain_heard_, true)) throw Cancelled();
      Readable readable{*this};
      if (!co_await readable) throw Error(Fault::connection_ended);
      if (readable.cancelled()) throw Cancelled();
      const auto transfer = stream_->try_read(bytes);
      if (transfer.failed()) throw Error(transfer.code(), "reading");
      if (!transfer.would_block()) co_return transfer.size;
    }
  }

  Task<bool> write(std::string_view bytes) {
    output_.write(bytes, {});
    if (output_.high()) {
      Room room{output_};
      co_await room;
    }
    co_return !output_.failed();
  }

  void shut_down() noexcept {
    ending_ = true;
    if (!stream_) return;
    output_.flush_if_corked();
    if (output_.backlog() == 0) stream_->shut_down();
  }

  // The handle is gone: what was written still goes out, for a while.
  void release() noexcept {
    released_ = true;
    if (!stream_) return free();
    if (auto* reader = std::exchange(reader_, nullptr)) {
      stream_->cancel_wait(*this);
      reader->forget();
      reader->wake();
    }
    shut_down();
    if (output_.backlog() == 0 || output_.failed()) {
      end(output_.failed());
    } else {
      set(loop_, loop_.now() + std::chrono::seconds(5));
    }
  }

  const Stream* stream() const noexcept { return stream_.get(); }

 private:
  ~Core() = default;
  void free() noexcept { delete this; }

  void ready() noexcept override { std::exchange(reader_, nullptr)->wake(); }
  void output_progressed() noexcept override {
    if (!ending_ || output_.backlog() != 0) return;
    stream_->shut_down();
    if (released_) end(false);
  }
  void output_failed(int) noexcept override {
    if (released_) return end(true);
    output_.detach();  // tells the writes that wait for room
  }
  void expired() noexcept override { end(true); }
  // Its handler knows what to do about that.
  void drain() noexcept override {
    auto* reader = std::exchange(reader_, nullptr);
    if (!reader) return;
    drain_heard_ = true;
    stream_->cancel_wait(*this);
    reader->drain();
  }

  void abandon() noexcept override {
    if (released_) return end(true);
    if (auto* reader = std::exchange(reader_, nullptr)) reader->forget();
    leave();
    loop_.connection_closed();
    const auto stream = std::move(stream_);
    stream->cancel_wait(*this);
    output_.detach();  // tells the writes that wait: the handle, and this with it, may go
  }

  // `lost`: what was written has not all been sent, or there is no time to see it arrive.
  void end(bool lost) noexcept {
    output_.detach();
    if (!lost) linger(loop_, std::move(stream_));
    stream_.reset();
    loop_.connection_closed();
    free();
  }

  Loop& loop_;
  StreamPointer stream_;  // null when the loop has ended
  Output output_;
  std::string received_;
  Readable* reader_ = nullptr;
  bool ending_ = false;
  bool released_ = false;
  bool drain_heard_ = false;
};

ByteStream::ByteStream(Loop& loop, StreamPointer stream, std::string received, std::string unsent)
    : core_(new Core{loop, std::move(stream), std::move(received), unsent}) {}

ByteStream::ByteStream(ByteStream&& other) noexcept : core_(std::exchange(other.core_, nullptr)) {}

ByteStream& ByteStream::operator=(ByteStream&& other) noexcept {
  if (this != &other) {
    if (core_) core_->release();
    core_ = std::exchange(other.core_, nullptr);
  }
  return *this;
}

ByteStream::~ByteStream() {
  if (core_) core_->release();
}

Task<std::size_t> ByteStream::read_some(std::span<char> bytes) & { return core_->read_some(bytes); }
Task<bool> ByteStream::write(std::string_view bytes) & { return core_->write(bytes); }
void ByteStream::shut_down() noexcept { core_->shut_down(); }
const Address& ByteStream::remote_address() const noexcept {
  const auto* stream = core_->stream();
  return stream ? stream->remote_address() : no_address;
}
const Address& ByteStream::local_address() const noexcept {
  const auto* stream = core_->stream();
  return stream ? stream->local_address() : no_address;
}

}  // namespace hotline
