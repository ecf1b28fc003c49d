#include <hotline/net/byte_stream.h>

#include <algorithm>
#include <utility>

#include <hotline/base/error.h>

#include "net/loop.h"
#include "net/output.h"

namespace hotline {
namespace {

class Readable final : private Waiter {
 public:
  explicit Readable(Stream& stream) : stream_(stream) {}
  Readable(const Readable&) = delete;
  Readable& operator=(const Readable&) = delete;
  ~Readable() { stream_.cancel_wait(*this); }

  bool await_ready() const noexcept { return false; }
  template <typename Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = detail::Resumption{handle};
    stream_.wait_readable(*this);
  }
  void await_resume() const noexcept {}

 private:
  void ready() noexcept override { resumption_.resume(); }

  Stream& stream_;
  detail::Resumption resumption_;
};

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
class ByteStream::Core final : private OutputListener, private detail::Timer {
 public:
  Core(Loop& loop, StreamPointer stream, std::string received, std::string_view unsent)
      : loop_(loop),
        stream_(std::move(stream)),
        output_(loop, *this),
        received_(std::move(received)) {
    loop_.connection_opened();
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
    if (std::exchange(reading_, true)) throw Error(Fault::concurrent_read);
    struct Done {
      bool& reading;
      ~Done() { reading = false; }
    };
    Done done{reading_};
    for (;;) {
      Readable readable{*stream_};
      co_await readable;
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
    output_.flush_if_corked();
    if (output_.backlog() == 0) stream_->shut_down();
  }

  // The handle is gone: what was written still goes out, for a while.
  void release() noexcept {
    released_ = true;
    shut_down();
    if (output_.backlog() == 0 || output_.failed()) {
      end();
    } else {
      set(loop_, loop_.now() + std::chrono::seconds(5));
    }
  }

  const Stream& stream() const noexcept { return *stream_; }

 private:
  ~Core() = default;

  void output_progressed() noexcept override {
    if (!ending_ || output_.backlog() != 0) return;
    stream_->shut_down();
    if (released_) end();
  }
  void output_failed(int) noexcept override {
    if (released_) end();
  }
  void expired() noexcept override { end(); }

  void end() noexcept {
    output_.detach();
    stream_.reset();
    loop_.connection_closed();
    delete this;
  }

  Loop& loop_;
  StreamPointer stream_;
  Output output_;
  std::string received_;
  bool reading_ = false;
  bool ending_ = false;
  bool released_ = false;
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
  return core_->stream().remote_address();
}
const Address& ByteStream::local_address() const noexcept {
  return core_->stream().local_address();
}

}  // namespace hotline
