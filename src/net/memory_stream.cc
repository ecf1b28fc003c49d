#include <hotline/net/memory_stream.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <string>

#include <hotline/base/error.h>

#include "net/loop.h"

namespace hotline {
namespace {

constinit thread_local std::int64_t live = 0;

struct Wire {
  explicit Wire(const MemoryStreamOptions& wire_options)
      : options(wire_options), entropy(wire_options.seed) {}

  MemoryStreamOptions options;
  SeededEntropy entropy;
  std::uint64_t transfers = 0;
  bool reset = false;
};

// One direction's bytes. `ended`: nothing follows; `unread`: the reader has gone.
struct Pipe {
  std::string bytes;
  std::size_t start = 0;
  bool ended = false;
  bool unread = false;

  std::size_t size() const { return bytes.size() - start; }
};

class MemoryStream final : public Stream {
 public:
  MemoryStream(Loop& loop, int end, std::shared_ptr<Wire> wire, std::shared_ptr<Pipe> in,
               std::shared_ptr<Pipe> out)
      : loop_(loop), end_(end), wire_(std::move(wire)), in_(std::move(in)), out_(std::move(out)) {
    ++live;
  }

  Transfer try_read(std::span<char> bytes) noexcept override {
    const auto transfer = read(bytes);
    if (wire_->options.recording) record(false, transfer, {bytes.data(), transfer.size});
    return transfer;
  }

  Transfer try_write(std::span<const char> head, std::span<const char> body) noexcept override {
    const auto before = out_->size();
    const auto transfer = write(head, body);
    if (wire_->options.recording) {
      record(true, transfer, std::string_view{out_->bytes}.substr(out_->start + before));
    }
    return transfer;
  }

 private:
  Transfer read(std::span<char> bytes) noexcept {
    if (const auto error = trouble()) return {0, error};
    if (in_->size() == 0) return in_->ended ? Transfer{} : Transfer{0, EAGAIN};
    const auto count = portion(std::min(bytes.size(), in_->size()));
    std::copy_n(in_->bytes.data() + in_->start, count, bytes.data());
    in_->start += count;
    if (in_->size() == 0) {
      in_->bytes.clear();
      in_->start = 0;
    }
    notify_peer();
    return {count, 0};
  }

  Transfer write(std::span<const char> head, std::span<const char> body) noexcept {
    if (const auto error = trouble()) return {0, error};
    if (out_->unread || out_->ended) return {0, EPIPE};
    const auto used = out_->size();
    const auto free = wire_->options.capacity > used ? wire_->options.capacity - used : 0;
    if (free == 0) return {0, EAGAIN};
    const auto count = portion(std::min(head.size() + body.size(), free));
    const auto of_head = std::min(count, head.size());
    out_->bytes.append(head.data(), of_head);
    if (count > of_head) out_->bytes.append(body.data(), count - of_head);
    notify_peer();
    return {count, 0};
  }

  void record(bool written, const Transfer& transfer, std::string_view bytes) noexcept {
    wire_->options.recording->add({end_, written, transfer.error, std::string(bytes)});
  }

 public:
  void wait_readable(Waiter& waiter) noexcept override {
    reader_ = &waiter;
    look();
  }
  void wait_writable(Waiter& waiter) noexcept override {
    writer_ = &waiter;
    look();
  }
  void cancel_wait(Waiter& waiter) noexcept override {
    if (reader_ == &waiter) reader_ = nullptr;
    if (writer_ == &waiter) writer_ = nullptr;
  }

  void shut_down() noexcept override {
    out_->ended = true;
    notify_peer();
  }

  void set_addresses(const Address& remote, const Address& local) noexcept override {
    remote_ = remote;
    local_ = local;
  }
  void watch(StreamWatcher* watcher) noexcept override {
    if (auto* before = std::exchange(watcher_, watcher)) before->stream_gone(remote_);
  }

  void release() noexcept override {
    released_ = true;
    reader_ = writer_ = nullptr;
    out_->ended = true;
    in_->unread = true;
    notify_peer();
    if (peer_) peer_->peer_ = nullptr;
    peer_ = nullptr;
    watch(nullptr);
    if (posted_ == 0 && !calling_) delete this;
  }

  const Address& remote_address() const noexcept override { return remote_; }
  const Address& local_address() const noexcept override { return local_; }

  void connect(MemoryStream& peer) { peer_ = &peer; }
  std::uint64_t transfers() const { return wire_->transfers; }

 private:
  ~MemoryStream() { --live; }

  // The errno value that this transfer comes to before anything moves, or 0.
  int trouble() noexcept {
    const auto number = ++wire_->transfers;
    const auto& options = wire_->options;
    if (number == options.reset_at) {
      wire_->reset = true;
      look();
      notify_peer();
    }
    if (wire_->reset) return ECONNRESET;
    if (number == options.fail_at) return options.failure;
    if (options.stall_one_in != 0 && wire_->entropy.number() % options.stall_one_in == 0) {
      return EAGAIN;
    }
    return 0;
  }

  std::size_t portion(std::size_t count) noexcept {
    const auto largest = wire_->options.largest_transfer;
    if (largest != 0) count = std::min(count, largest);
    if (wire_->options.random_sizes && count > 1) count = 1 + wire_->entropy.number() % count;
    return count;
  }

  bool readable() const { return wire_->reset || in_->size() > 0 || in_->ended; }
  bool writable() const {
    return wire_->reset || out_->unread || out_->size() < wire_->options.capacity;
  }

  void notify_peer() noexcept {
    if (peer_) peer_->look();
  }

  void look() noexcept {
    if (released_) return;
    if (reader_ && readable()) post(reader_posted_, true);
    if (writer_ && writable()) post(writer_posted_, false);
  }

  void post(bool& already, bool reading) noexcept {
    if (std::exchange(already, true)) return;
    ++posted_;
    // The token counts down even where the loop dies before it comes to this.
    auto token = std::shared_ptr<MemoryStream>(this, [](MemoryStream* stream) {
      --stream->posted_;
      if (stream->released_ && stream->posted_ == 0 && !stream->calling_) delete stream;
    });
    const auto late = wire_->options.late_wakeups;
    deliver_after(late == 0 ? 0 : wire_->entropy.number() % (late + 1), std::move(token), reading);
  }

  static void deliver_after(std::uint64_t rounds, std::shared_ptr<MemoryStream> token,
                            bool reading) noexcept {
    auto& loop = token->loop_;
    loop.post([rounds, token = std::move(token), reading] {
      if (rounds > 0) return deliver_after(rounds - 1, token, reading);
      token->deliver(reading);
    });
  }

  void deliver(bool reading) noexcept {
    (reading ? reader_posted_ : writer_posted_) = false;
    auto*& slot = reading ? reader_ : writer_;
    if (released_ || !slot || !(reading ? readable() : writable())) return;
    const auto outer = std::exchange(calling_, true);
    std::exchange(slot, nullptr)->ready();
    calling_ = outer;  // the token held by our caller frees the stream if this released it
  }

  Loop& loop_;
  int end_;
  std::shared_ptr<Wire> wire_;
  std::shared_ptr<Pipe> in_;
  std::shared_ptr<Pipe> out_;
  MemoryStream* peer_ = nullptr;
  Waiter* reader_ = nullptr;
  Waiter* writer_ = nullptr;
  int posted_ = 0;
  bool reader_posted_ = false;
  bool writer_posted_ = false;
  bool released_ = false;
  bool calling_ = false;
  StreamWatcher* watcher_ = nullptr;
  Address remote_;
  Address local_;
};

}  // namespace

std::string Recording::written_by(int end) const {
  std::string bytes;
  for (const auto& entry : entries_) {
    if (entry.end == end && entry.written) bytes += entry.bytes;
  }
  return bytes;
}

std::string Recording::text() const {
  std::string text;
  for (const auto& entry : entries_) {
    text += std::to_string(entry.end) + (entry.written ? " writes " : " reads ");
    if (entry.error == EAGAIN) {
      text += "nothing yet";
    } else if (entry.error != 0) {
      text += std::string("and fails: ") + std::strerror(entry.error);
    } else if (entry.bytes.empty() && !entry.written) {
      text += "the end";
    } else {
      text += std::to_string(entry.bytes.size()) + ": " + escaped(entry.bytes);
    }
    text += '\n';
  }
  return text;
}

std::pair<StreamPointer, StreamPointer> make_memory_streams(Loop& loop,
                                                            const MemoryStreamOptions& options) {
  auto wire = std::make_shared<Wire>(options);
  auto there = std::make_shared<Pipe>();
  auto back = std::make_shared<Pipe>();
  auto* a = new MemoryStream{loop, 0, wire, back, there};
  auto* b = new MemoryStream{loop, 1, wire, there, back};
  a->connect(*b);
  b->connect(*a);
  return {StreamPointer{a}, StreamPointer{b}};
}

std::uint64_t memory_stream_transfers(const Stream& stream) noexcept {
  return static_cast<const MemoryStream&>(stream).transfers();
}

std::int64_t live_memory_streams() noexcept { return live; }

}  // namespace hotline
