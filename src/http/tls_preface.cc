#include "http/tls_preface.h"

#include <algorithm>
#include <utility>

#include <hotline/base/error.h>

#include "http/worker.h"
#include "net/linger.h"
#include "net/tls.h"
#include "net/tls_input.h"

namespace hotline::http {
namespace {

constexpr char handshake_record = 0x16;  // RFC 8446 5.1
constexpr char client_hello = 1;         // RFC 8446 4
constexpr std::size_t most_hello = 16 * 1024;

// Whether the first record announces more than a client has to say. OpenSSL would take memory for
// all of it (131 KiB) at once.
bool is_excessive(std::string_view record) noexcept {
  constexpr std::size_t before = 5;  // of the record; then a type and three bytes of length
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(record[at]); };
  if (record.size() < before + 4 || (byte(3) == 0 && byte(4) < 4)) return true;
  if (record[before] != client_hello) return false;  // OpenSSL says what it thinks of that
  return (static_cast<std::size_t>(byte(6)) << 16 | static_cast<std::size_t>(byte(7)) << 8 |
          byte(8)) > most_hello;
}

}  // namespace

TlsPreface::TlsPreface(Worker& worker, StreamPointer stream, ConnectionRules rules,
                       std::optional<Status> answer)
    : worker_(worker), stream_(std::move(stream)), rules_(rules), answer_(answer) {
  worker_.add(*this);
  worker_.loop().connection_opened();
  join(worker_.loop());
  set(worker_.loop(), worker_.loop().now() + worker_.options().head_timeout);
}

TlsPreface::~TlsPreface() {
  unlink();
  leave();
  if (stream_) stream_->cancel_wait(*this);
  if (tls_) tls_->cancel_wait(*this);
  worker_.loop().connection_closed();
}

void TlsPreface::start(std::string_view received) noexcept {
  if (received.empty()) return stream_->wait_readable(*this);
  received_ = received;
  look();
}

void TlsPreface::ready() noexcept {
  if (tls_) return handshake(true);
  receive();
}

void TlsPreface::receive() noexcept {
  auto& blocks = worker_.loop().blocks();
  const auto block = blocks.take();
  const auto transfer = stream_->try_read(block);
  received_.append(block.data(), transfer.size);
  blocks.give_back(block.data());
  if (transfer.failed() || transfer.ended()) {
    delete this;  // a look whether somebody listens, perhaps
  } else if (transfer.would_block() && worker_.loop().draining() && received_.empty()) {
    delete this;
  } else {
    look();
  }
}

// What has come so far: the first record, or none at all.
void TlsPreface::look() noexcept {
  if (!received_.empty() && received_[0] != handshake_record) {
    auto& worker = worker_;
    stream_->cancel_wait(*this);
    auto stream = std::move(stream_);
    worker.answer_plain(std::move(stream), rules_);
    delete this;
    return;
  }
  tls::Input input;
  input.received(received_);
  if (received_.empty() || !input.has_record()) return stream_->wait_readable(*this);
  if (is_excessive(received_)) return refuse("that is no client's first word");
  try {
    context_ = worker_.site().tls->context();
    tls_ = TlsStream::make(worker_.loop(), std::move(stream_), context_.get(),
                           TlsStream::Role::server, received_);
  } catch (const std::exception& error) {
    worker_.loop().log(LogLevel::error, [&] { return std::string("TLS: ") + error.what(); });
    delete this;
    return;
  }
  std::string{}.swap(received_);
  handshake(false);
}

void TlsPreface::handshake(bool readable) noexcept {
  switch (tls_->handshake(readable)) {
    case TlsStream::Progress::waits: return tls_->wait_readable(*this);
    case TlsStream::Progress::failed:
      return refuse(tls_->failure().empty() ? "the connection was lost" : tls_->failure());
    case TlsStream::Progress::done: break;
  }
  auto& worker = worker_;
  const auto rules = rules_;
  const auto answer = answer_;
  tls_->cancel_wait(*this);
  auto stream = std::move(tls_);
  // The loop has not been left empty between the two.
  worker.begin_session(std::move(stream), rules, {}, answer);
  delete this;
}

void TlsPreface::expired() noexcept { refuse("it took too long"); }

void TlsPreface::drain() noexcept {
  using namespace std::chrono_literals;
  // One that is coming in just now has as long as the head of a request has.
  set(worker_.loop(), std::min(deadline(), worker_.loop().now() + 1s));
  if (tls_) return;
  stream_->cancel_wait(*this);
  receive();
}

void TlsPreface::refuse(std::string_view reason) noexcept {
  auto& loop = worker_.loop();
  if (tls_) {
    worker_.refused(*tls_, "no TLS", reason);
    tls_->cancel_wait(*this);
    linger(loop, tls_->take_inner());  // the peer is to read what it is told
  } else {
    worker_.refused(*stream_, "no TLS", reason);
  }
  delete this;
}

}  // namespace hotline::http
