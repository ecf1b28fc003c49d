#include "net/tls_stream.h"

#include <utility>

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "net/linger.h"
#include "net/loop.h"
#include "net/tls_certificate.h"
#include "net/tls_context.h"

namespace hotline {
namespace {

// What OpenSSL has to say, in words.
std::string openssl_reason() {
  const auto code = ERR_peek_error();
  const auto reason = ERR_GET_REASON(code);
  if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET) {
    const auto alert = reason - SSL_AD_REASON_OFFSET;
    // OpenSSL 3.0 has no words for what TLS 1.3 says most often (RFC 8446 6.2).
    return std::string("the peer says: ") + (alert == SSL_AD_CERTIFICATE_REQUIRED
                                                 ? "certificate required"
                                                 : SSL_alert_desc_string_long(alert));
  }
  const auto* text = ERR_reason_error_string(code);
  return text ? text : "it failed";
}

}  // namespace

struct TlsStream::Bio {
  static int read(BIO* bio, char* to, int size) {
    BIO_clear_retry_flags(bio);
    auto& stream = *static_cast<TlsStream*>(BIO_get_data(bio));
    const auto count = stream.input_.take(to, static_cast<std::size_t>(size));
    if (count > 0) return static_cast<int>(count);
    BIO_set_retry_read(bio);
    return -1;
  }
  static int write(BIO* bio, const char* bytes, int size) {
    BIO_clear_retry_flags(bio);
    static_cast<TlsStream*>(BIO_get_data(bio))->emit({bytes, static_cast<std::size_t>(size)});
    return size;
  }
  static long control(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

  static const BIO_METHOD* method() {
    static const auto* const made = [] {
      auto* fresh = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "hotline");
      if (fresh) {
        BIO_meth_set_read(fresh, &Bio::read);
        BIO_meth_set_write(fresh, &Bio::write);
        BIO_meth_set_ctrl(fresh, &Bio::control);
      }
      return fresh;
    }();
    return made;
  }
};

// A readiness that the inner stream will not tell of. It counts itself down where the loop ends
// before it comes to it.
class TlsStream::Posted {
 public:
  explicit Posted(TlsStream& stream) : stream_(&stream) { ++stream.posted_; }
  Posted(Posted&& other) noexcept : stream_(std::exchange(other.stream_, nullptr)) {}
  Posted& operator=(Posted&&) = delete;
  ~Posted() {
    if (!stream_) return;
    --stream_->posted_;
    stream_->free_if_unused();
  }
  void operator()() noexcept {
    if (!stream_->released_) stream_->posted_ready();
  }

 private:
  TlsStream* stream_;
};

TlsStream::Pointer TlsStream::make(Loop& loop, StreamPointer inner, SSL_CTX* context, Role role,
                                   std::string_view received) {
  Pointer stream{new TlsStream{loop, std::move(inner)}};
  stream->input_.keep(received);
  tls::clear_errors();
  stream->ssl_ = SSL_new(context);
  auto* bio = stream->ssl_ && Bio::method() ? BIO_new(Bio::method()) : nullptr;
  if (!bio) throw Error(Fault::tls_failed, "OpenSSL has no memory");
  BIO_set_data(bio, stream.get());
  BIO_set_init(bio, 1);
  SSL_set_bio(stream->ssl_, bio, bio);
  if (role == Role::client) {
    SSL_set_connect_state(stream->ssl_);
  } else {
    SSL_set_accept_state(stream->ssl_);
  }
  return stream;
}

TlsStream::TlsStream(Loop& loop, StreamPointer inner) : loop_(loop), inner_(std::move(inner)) {}

TlsStream::~TlsStream() { SSL_free(ssl_); }

TlsStream& TlsStream::of(const SSL* ssl) noexcept {
  return *static_cast<TlsStream*>(BIO_get_data(SSL_get_rbio(ssl)));
}

// The handshake

TlsStream::Progress TlsStream::handshake(bool readable) noexcept {
  Gathering gathering;
  gathering_ = &gathering;
  std::span<char> block;
  auto progress = Progress::waits;
  for (;;) {
    tls::clear_errors();
    const auto result = SSL_do_handshake(ssl_);
    if (result == 1) {
      progress = Progress::done;
      break;
    }
    if (SSL_get_error(ssl_, result) != SSL_ERROR_WANT_READ) {
      fail("");
      progress = Progress::failed;
      break;
    }
    if (input_.has_record()) continue;
    if (!readable) break;
    readable = receive(block);
    if (input_.has_record()) continue;
    if (read_error_ == 0 && !ended_) continue;
    if (ended_) failure_ = "the peer hung up in the handshake";
    progress = Progress::failed;
    break;
  }
  end_output(gathering);
  end_input(block);
  if (progress == Progress::waits && write_error_ != 0) progress = Progress::failed;
  return progress;
}

void TlsStream::reject(Fault fault, std::string sentence) noexcept {
  if (!failure_.empty()) return;
  fault_ = fault;
  failure_ = std::move(sentence);
}

StreamPointer TlsStream::take_inner() noexcept {
  inner_->cancel_wait(read_side_);
  inner_->cancel_wait(write_side_);
  return std::move(inner_);
}

// Waiting

bool TlsStream::reads_at_once() const noexcept {
  return read_error_ != 0 || ended_ || input_.has_record() || SSL_pending(ssl_) > 0;
}

void TlsStream::wait_readable(Waiter& waiter) noexcept {
  reader_ = &waiter;
  if (reads_at_once()) {
    post();  // no byte on the socket will wake this
  } else {
    inner_->wait_readable(read_side_);
  }
}

void TlsStream::wait_writable(Waiter& waiter) noexcept {
  writer_ = &waiter;
  if (write_error_ != 0) {
    post();
  } else if (halved_) {
    inner_->wait_readable(read_side_);
  } else {
    watch_writable();
  }
}

void TlsStream::watch_writable() noexcept {
  if (!std::exchange(watching_, true)) inner_->wait_writable(write_side_);
}

void TlsStream::cancel_wait(Waiter& waiter) noexcept {
  if (reader_ == &waiter) {
    reader_ = nullptr;
    if (!halved_) inner_->cancel_wait(read_side_);
  }
  if (writer_ == &waiter) {
    writer_ = nullptr;
    if (unsent_.empty() && std::exchange(watching_, false)) inner_->cancel_wait(write_side_);
  }
}

void TlsStream::inner_readable() noexcept {
  calling_ = true;  // both may be told
  tell(reader_);
  if (halved_) tell(writer_);
  calling_ = false;
  free_if_unused();
}

void TlsStream::inner_writable() noexcept {
  watching_ = false;
  if (flush() || write_error_ != 0) tell(writer_);
}

void TlsStream::post() noexcept { loop_.post(Posted{*this}); }

void TlsStream::posted_ready() noexcept {
  calling_ = true;  // both may be told
  if (reader_ && reads_at_once()) tell(reader_);
  if (!released_ && writer_ && write_error_ != 0) tell(writer_);
  calling_ = false;
}

void TlsStream::tell(Waiter*& waiter) noexcept {
  auto* told = std::exchange(waiter, nullptr);
  if (!told || released_) return;
  const auto outer = std::exchange(calling_, true);
  told->ready();
  calling_ = outer;
  free_if_unused();
}

// The end

void TlsStream::shut_down() noexcept {
  if (std::exchange(shut_, true)) return;
  if (write_error_ == 0 && SSL_is_init_finished(ssl_)) {
    tls::clear_errors();
    SSL_shutdown(ssl_);  // writes close_notify, by emit()
    free_buffers();
  }
  if (unsent_.empty()) {
    inner_->shut_down();
  } else {
    ending_ = true;
  }
}

// TLS has failed: neither direction is of use any more.
void TlsStream::fail(std::string_view doing) noexcept {
  if (failure_.empty()) {
    if (!doing.empty()) failure_.append(doing).append(": ");
    failure_ += ERR_peek_error() != 0 ? openssl_reason() : "TLS failed";
  }
  read_error_ = EPROTO;
  if (write_error_ == 0) write_error_ = EPROTO;
  tls::clear_errors();
}

void TlsStream::release() noexcept {
  released_ = true;
  reader_ = writer_ = nullptr;
  // Whoever wrote and shut down took it that all is with the system.
  if (ending_ && write_error_ == 0) {
    send_off(loop_, take_inner(), unsent_.substr(unsent_start_));
  }
  inner_.reset();
  free_if_unused();
}

void TlsStream::free_if_unused() noexcept {
  if (released_ && !calling_ && posted_ == 0) delete this;
}

std::shared_ptr<const TlsInfo> TlsStream::shared_tls() const noexcept {
  return info_ ? info_ : tls::describe(ssl_);
}

const TlsInfo* TlsStream::tls() const noexcept {
  info_ = shared_tls();
  return info_.get();
}

}  // namespace hotline
