#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include <hotline/base/error.h>
#include <hotline/net/stream.h>

#include "net/tls_input.h"

struct ssl_st;
using SSL = ssl_st;
struct ssl_ctx_st;
using SSL_CTX = ssl_ctx_st;

namespace hotline {

class Loop;

/// TLS over any stream. OpenSSL sees no socket: what has come is handed to it record by record, and
/// what it makes of one try_write goes out in one system call. What the inner stream does not take
/// is kept here (at most a block and a record), and sent on when it can be.
///
/// Behind shut_down() it sends on even when it has been released, as a socket does.
///
/// An end without close_notify is an end, as TCP's is: what runs inside tells whether it was
/// complete. A failure of TLS itself is EPROTO.
class TlsStream final : public Stream {
 public:
  enum class Role : std::uint8_t { client, server };
  enum class Progress : std::uint8_t { done, waits, failed };
  using Pointer = std::unique_ptr<TlsStream, StreamRelease>;

  /// `received`: what has come on `inner` already. Throws Error (tls_failed) where OpenSSL has no
  /// memory.
  static Pointer make(Loop& loop, StreamPointer inner, SSL_CTX* context, Role role,
                      std::string_view received = {});

  /// Goes on with the handshake, until it is done, has failed, or waits to be readable; first, and
  /// when it was. `readable`: there may be bytes to receive. The stream is used when it is done.
  Progress handshake(bool readable) noexcept;
  /// What went wrong.
  const std::string& failure() const noexcept { return failure_; }
  Fault fault() const noexcept { return fault_; }
  /// The inner stream's error, if it was that which failed.
  int inner_error() const noexcept { return inner_error_; }
  /// Why the peer's certificate is not believed; the first word counts.
  void reject(Fault fault, std::string sentence) noexcept;
  /// For a handshake that has failed. This has then nothing to stand on, and is released.
  StreamPointer take_inner() noexcept;
  SSL* ssl() const noexcept { return ssl_; }
  static TlsStream& of(const SSL* ssl) noexcept;

  Transfer try_read(std::span<char> bytes) noexcept override;
  Transfer try_write(std::span<const char> head, std::span<const char> body) noexcept override;
  void wait_readable(Waiter& waiter) noexcept override;
  void wait_writable(Waiter& waiter) noexcept override;
  void cancel_wait(Waiter& waiter) noexcept override;
  void shut_down() noexcept override;
  void release() noexcept override;
  const Address& remote_address() const noexcept override { return inner_->remote_address(); }
  const Address& local_address() const noexcept override { return inner_->local_address(); }
  void set_addresses(const Address& remote, const Address& local) noexcept override {
    inner_->set_addresses(remote, local);
  }
  void watch(StreamWatcher* watcher) noexcept override { inner_->watch(watcher); }
  int descriptor() const noexcept override { return inner_->descriptor(); }
  std::shared_ptr<const TlsInfo> shared_tls() const noexcept override;
  const TlsInfo* tls() const noexcept override;

 private:
  template <void (TlsStream::*then)() noexcept>
  class Side final : public Waiter {
   public:
    explicit Side(TlsStream& stream) : stream_(stream) {}
    void ready() noexcept override { (stream_.*then)(); }

   private:
    TlsStream& stream_;
  };
  struct Bio;
  class Posted;
  // What OpenSSL makes during one call: all of it but the last record is copied together.
  struct Gathering {
    std::span<char> block;
    std::size_t size = 0;
    bool last = false;  // what comes next is all that comes
  };

  TlsStream(Loop& loop, StreamPointer inner);
  ~TlsStream();

  bool receive(std::span<char>& block) noexcept;
  void end_input(std::span<char> block) noexcept;
  bool receive_rest(std::span<char>& block) noexcept;
  void end_rest() noexcept;
  void emit(std::span<const char> bytes) noexcept;
  void end_output(Gathering& gathering) noexcept;
  void send(std::span<const char> head, std::span<const char> body) noexcept;
  bool flush() noexcept;
  void fail(std::string_view doing) noexcept;
  bool reads_at_once() const noexcept;
  void free_buffers() noexcept;

  void inner_readable() noexcept;
  void inner_writable() noexcept;
  void watch_writable() noexcept;
  void post() noexcept;
  void posted_ready() noexcept;
  void tell(Waiter*& waiter) noexcept;
  void free_if_unused() noexcept;

  // What each message needs lies together: with many connections every cache line counts.
  Loop& loop_;
  StreamPointer inner_;
  SSL* ssl_ = nullptr;
  Waiter* reader_ = nullptr;
  Waiter* writer_ = nullptr;
  Gathering* gathering_ = nullptr;
  int read_error_ = 0;
  int write_error_ = 0;
  int posted_ = 0;
  unsigned barren_ = 0;    // records in a row that brought no data
  unsigned answers_ = 0;   // of OpenSSL's own, in one try_read
  bool ended_ = false;     // the peer writes no more
  bool halved_ = false;    // OpenSSL has half of a message, and writes only when it has the rest
  bool ending_ = false;    // the inner stream is to be shut down when all is sent
  bool shut_ = false;      // close_notify has been written
  bool watching_ = false;  // the inner stream's writability
  bool released_ = false;
  bool calling_ = false;
  Side<&TlsStream::inner_readable> read_side_{*this};
  tls::Input input_;
  std::string unsent_;  // ciphertext, from unsent_start_
  std::size_t unsent_start_ = 0;
  Side<&TlsStream::inner_writable> write_side_{*this};
  mutable std::shared_ptr<const TlsInfo> info_;  // where somebody relies on it
  std::string failure_;
  Fault fault_ = Fault::tls_failed;
  int inner_error_ = 0;
};

}  // namespace hotline
