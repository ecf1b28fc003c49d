#pragma once

#include <cerrno>
#include <cstddef>
#include <memory>
#include <span>
#include <system_error>

#include <hotline/net/address.h>
#include <hotline/net/tls_info.h>

namespace hotline {

/// What one attempt to read or write came to. `error` is an errno value: 0, EAGAIN (not now: wait,
/// then try again), or a failure after which the stream is of no more use. A read of 0 bytes with
/// no error is the end.
struct Transfer {
  std::size_t size = 0;
  int error = 0;

  bool would_block() const noexcept { return error == EAGAIN; }
  bool failed() const noexcept { return error != 0 && error != EAGAIN; }
  bool ended() const noexcept { return size == 0 && error == 0; }
  std::error_code code() const noexcept { return {error, std::system_category()}; }
};

/// Whom a stream tells that it is readable or writable, or may be: who finds that it would block
/// waits again. `ready` may release the stream.
class Waiter {
 public:
  virtual void ready() noexcept = 0;

 protected:
  ~Waiter() = default;
};

/// Whom a stream tells that it is no more.
class StreamWatcher {
 public:
  /// Once: the stream has closed, or another watches it now. `remote`: its remote_address().
  virtual void stream_gone(const Address& remote) noexcept = 0;

 protected:
  ~StreamWatcher() = default;
};

/// A non-blocking stream of bytes: TCP, in memory, and whatever else carries a connection.
///
/// All members are called on the thread of the loop that the stream belongs to. At most one wait in
/// each direction at a time. A wait looks at the state anew: it is never too late for what came
/// before it. `ready` is never called from inside a member of the stream.
class Stream {
 public:
  virtual Transfer try_read(std::span<char> bytes) noexcept = 0;
  /// One system call for both parts. Takes what fits: `size` counts over head, then body.
  virtual Transfer try_write(std::span<const char> head,
                             std::span<const char> body = {}) noexcept = 0;
  virtual void wait_readable(Waiter& waiter) noexcept = 0;
  virtual void wait_writable(Waiter& waiter) noexcept = 0;
  /// Afterwards `waiter` is not called, in either direction. Nothing happens if it does not wait.
  virtual void cancel_wait(Waiter& waiter) noexcept = 0;
  /// No more will be written; the peer reads to the end of what was.
  virtual void shut_down() noexcept = 0;
  /// Closes, and frees the object as soon as no callback of it is under way. Takes the destructor's
  /// place.
  virtual void release() noexcept = 0;

  virtual const Address& remote_address() const noexcept = 0;
  virtual const Address& local_address() const noexcept = 0;
  /// Who is at the ends, as somebody says who knows better than the socket (PROXY protocol).
  virtual void set_addresses(const Address& remote, const Address& local) noexcept = 0;
  /// Who is told of this stream's end, in release(): a server that counts its connections, whoever
  /// has them. The one before is told now. Null: nobody. `watcher` outlives the stream.
  virtual void watch(StreamWatcher* watcher) noexcept = 0;
  /// The socket, for its options; -1 where there is none. It stays the stream's.
  virtual int descriptor() const noexcept { return -1; }
  /// What its TLS handshake came to, for whom it may outlive the stream; null: it speaks no TLS.
  virtual std::shared_ptr<const TlsInfo> shared_tls() const noexcept { return nullptr; }
  /// The same; it is kept as long as the stream.
  virtual const TlsInfo* tls() const noexcept { return nullptr; }

 protected:
  ~Stream() = default;
};

struct StreamRelease {
  void operator()(Stream* stream) const noexcept { stream->release(); }
};
using StreamPointer = std::unique_ptr<Stream, StreamRelease>;

}  // namespace hotline
