#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>

#include <hotline/net/stream.h>

#include "net/poll_list.h"

namespace hotline {

class Loop;

/// A connected socket. Asio waits, and our own recv and send do the work. Where a wait for bytes is
/// mostly over by the time that the loop comes round again, that is awaited instead: PollOdds.
class TcpStream final : public Stream {
 public:
  /// Takes over a connected, non-blocking descriptor; closes it where this throws.
  static StreamPointer adopt(Loop& loop, int descriptor, const Address& remote,
                             const Address& local);

  Transfer try_read(std::span<char> bytes) noexcept override;
  Transfer try_write(std::span<const char> head, std::span<const char> body) noexcept override;
  void wait_readable(Waiter& waiter) noexcept override { wait(reading, waiter); }
  void wait_writable(Waiter& waiter) noexcept override { wait(writing, waiter); }
  void cancel_wait(Waiter& waiter) noexcept override;
  void shut_down() noexcept override;
  void release() noexcept override;
  const Address& remote_address() const noexcept override { return remote_; }
  const Address& local_address() const noexcept override { return local_; }
  void set_addresses(const Address& remote, const Address& local) noexcept override;
  void watch(StreamWatcher* watcher) noexcept override;
  int descriptor() const noexcept override { return descriptor_; }

  /// The loop has come round. `in_company`: so have others.
  void polled(bool in_company) noexcept;
  /// It has ended.
  void poll_abandoned() noexcept { completed(reading, false); }

 private:
  using Descriptor =
      boost::asio::posix::basic_stream_descriptor<boost::asio::io_context::executor_type>;

  enum Direction { reading, writing };
  class Handler;

  TcpStream(Loop& loop, int descriptor, const Address& remote, const Address& local);
  ~TcpStream() = default;

  void wait(Direction direction, Waiter& waiter) noexcept;
  void wait_by_epoll(Direction direction) noexcept;
  void completed(Direction direction, bool invoked) noexcept;
  void free_if_unused() noexcept;

  Loop& loop_;
  Descriptor waits_;
  // Of each direction: who waits, and whether Asio or the poll list still owes a callback. A wait
  // that was cancelled leaves the callback owed, and the next wait takes it over.
  Waiter* waiters_[2] = {};
  StreamWatcher* watcher_ = nullptr;
  int descriptor_;
  bool owed_[2] = {};
  bool released_ : 1 = false;
  bool calling_ : 1 = false;
  bool polled_ : 1 = false;  // and what the poll finds is not known yet
  PollOdds odds_;
  Address remote_;
  Address local_;
};

}  // namespace hotline
