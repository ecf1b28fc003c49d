#pragma once

#include <hotline/base/task.h>
#include <hotline/net/stream.h>
#include <hotline/net/timer.h>

namespace hotline {

class Loop;

/// Waits until a stream can be read from or written to, in straight-line code that owns the stream:
///
///     StreamWait wait{stream, StreamWait::readable};
///     co_await wait;
///
/// Throws Cancelled when the server drains. When the loop ends the stream is released under it. One
/// wait for each object; destroying it cancels.
class [[nodiscard("co_await it")]] StreamWait final : private Waiter, private detail::Drainable {
 public:
  enum Direction { readable, writable };

  /// `stream` outlives this.
  StreamWait(StreamPointer& stream, Direction direction) noexcept
      : stream_(stream), direction_(direction) {}
  StreamWait(const StreamWait&) = delete;
  StreamWait& operator=(const StreamWait&) = delete;
  ~StreamWait() { stop(); }

  bool await_ready() const noexcept { return false; }
  template <detail::TaskPromise Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    resumption_ = detail::Resumption{handle};
    return begin();
  }
  void await_resume() const;

 private:
  bool begin();
  void stop() noexcept;
  void ready() noexcept override;
  void drain() noexcept override;
  void abandon() noexcept override;

  StreamPointer& stream_;
  Direction direction_;
  bool waiting_ = false;
  bool cancelled_ = false;
  detail::Resumption resumption_;
};

}  // namespace hotline
