#pragma once

#include <span>
#include <string>
#include <string_view>

#include <hotline/base/task.h>
#include <hotline/net/stream.h>

namespace hotline {

class Loop;

/// A hijacked connection: bytes in, bytes out, until one side hangs up. Movable; used on its loop's
/// thread; one read at a time. Destroying it closes.
class ByteStream {
 public:
  /// `received`: what is read first; `unsent`: what is sent before anything that is written.
  ByteStream(Loop& loop, StreamPointer stream, std::string received = {}, std::string unsent = {});
  ByteStream(ByteStream&&) noexcept;
  ByteStream& operator=(ByteStream&&) noexcept;
  ~ByteStream();

  /// Waits for bytes and puts up to bytes.size() of them there: how many; 0 at the end of the
  /// stream. Throws Error when the connection is lost; Cancelled, once, when the server
  /// drains: nothing is consumed, and what is left to say can be said. `bytes` stays valid until it
  /// is done.
  Task<std::size_t> read_some(std::span<char> bytes) &;
  Task<std::size_t> read_some(std::span<char>) && = delete;
  /// Writes all. `bytes` are taken before the first suspension; it suspends while the peer is slow.
  /// False: the connection is lost.
  Task<bool> write(std::string_view bytes) &;
  Task<bool> write(std::string_view) && = delete;
  /// Nothing more will be written: what was is flushed, and the peer reads the end.
  void shut_down() noexcept;

  const Address& remote_address() const noexcept;
  const Address& local_address() const noexcept;

 private:
  class Core;
  Core* core_ = nullptr;
};

}  // namespace hotline
