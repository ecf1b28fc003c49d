#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include <hotline/protocol/close_status.h>
#include <hotline/protocol/opcode.h>
#include <hotline/websocket/prepared.h>
#include <hotline/websocket/sender.h>

#include "net/mailbox.h"

namespace hotline::websocket {

class ConnectionCore;

/// What senders have left for a connection. They, the connection and a letter on its way share it.
class Outbox final : public Mailbox::Letter, public std::enable_shared_from_this<Outbox> {
 public:
  Outbox(std::shared_ptr<Mailbox> mailbox, protocol::Role role, const SenderOptions& options);
  ~Outbox() override = default;

  // From any thread
  SendStatus send(const Prepared& message, std::string_view key);
  void close(protocol::CloseCode code, std::string_view reason);
  bool is_open() const noexcept { return open_.load(std::memory_order_acquire); }
  SenderCounters counters() const;

  // The loop's thread
  void attach(ConnectionCore& core) noexcept { core_ = &core; }
  /// Hands over what the connection has room for. The caller keeps this alive.
  void deliver() noexcept;
  /// The connection begins to close: hands over all, whatever room there is, and takes no more.
  void deliver_rest() noexcept;
  /// The connection has ended.
  void detach() noexcept;
  bool attached() const noexcept { return core_ != nullptr; }
  bool is_drained() const;
  /// Neither messages nor a goodbye wait.
  bool has_nothing() const;
  /// From any thread.
  bool is_on_loop() const noexcept;
  void wait(Sender::Drained& drained) noexcept;
  void cancel(Sender::Drained& drained) noexcept;

 private:
  using Frame = detail::PreparedFrame;
  struct StringHash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const noexcept {
      return std::hash<std::string_view>{}(text);
    }
  };
  using Keys = std::unordered_map<std::string, std::uint64_t, StringHash, std::equal_to<>>;
  struct Entry {
    Frame frame;
    const std::string* key = nullptr;  // in keys_
  };

  // A ring: what waits, oldest first. Positions count from the first message ever.
  class Queue {
   public:
    bool empty() const noexcept { return first_ == end_; }
    std::size_t size() const noexcept { return static_cast<std::size_t>(end_ - first_); }
    std::uint64_t end() const noexcept { return end_; }
    Entry& operator[](std::uint64_t position) noexcept {
      return entries_[position & (entries_.size() - 1)];
    }
    Entry& front() noexcept { return (*this)[first_]; }
    void push(Entry entry);
    Entry pop() noexcept { return std::move((*this)[first_++]); }
    /// Gives back what a burst has left behind.
    void shrink() noexcept {
      if (entries_.size() > kept) entries_ = {};
    }

   private:
    static constexpr std::size_t kept = 64;
    std::vector<Entry> entries_;  // a power of two of them
    std::uint64_t first_ = 0;
    std::uint64_t end_ = 0;
  };

  struct Goodbye {
    protocol::CloseCode code;
    std::string reason;
  };
  struct Batch;

  void arrived() noexcept override { deliver(); }
  bool fits(std::size_t size) const noexcept;
  void shut(std::optional<Goodbye> goodbye) noexcept;
  void wake(std::unique_lock<std::mutex>& lock);
  Entry pop() noexcept;
  void drop_oldest(Queue& dropped);
  Queue drop_all() noexcept;
  void take(Batch& batch, std::size_t room) noexcept;
  void tell(bool drained) noexcept;

  const std::shared_ptr<Mailbox> mailbox_;
  const SenderOptions options_;
  const protocol::Role role_;
  std::atomic<bool> open_{true};

  mutable std::mutex mutex_;
  Queue queue_;
  Keys keys_;
  std::size_t bytes_ = 0;
  SenderCounters counters_;
  std::optional<Goodbye> goodbye_;
  bool scheduled_ = false;  // the connection knows, or will hear, that there is something

  // The loop's thread only
  ConnectionCore* core_ = nullptr;
  Sender::Drained* waiting_ = nullptr;  // oldest first
};

}  // namespace hotline::websocket
