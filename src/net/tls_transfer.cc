// TlsStream's bytes on their way: what comes goes to OpenSSL record by record, what OpenSSL makes
// goes out together.
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

#include <openssl/ssl.h>

#include "net/loop.h"
#include "net/tls_context.h"
#include "net/tls_stream.h"

namespace hotline {
namespace {

constexpr std::size_t largest_record = 16384;
// A peer that makes OpenSSL answer (key updates) and takes nothing of it.
constexpr std::size_t most_unsent = 256 * 1024;
// A peer that sends records with nothing in them for us (key updates, tickets), each of which costs
// us more than it costs him. Nobody needs more in a row.
constexpr unsigned most_barren = 32;
// What one try_read may cost, whatever the peer puts into small records: the rest has another turn.
constexpr unsigned most_receives = 4;
constexpr unsigned most_answers = 16;

}  // namespace

// Reading

// One receive. True: there may be more at once.
bool TlsStream::receive(std::span<char>& block) noexcept {
  if (block.empty()) block = loop_.blocks().take();
  input_.stash();
  const auto transfer = inner_->try_read(block);
  if (transfer.failed()) {
    read_error_ = inner_error_ = transfer.error;
  } else if (transfer.ended()) {
    ended_ = true;
  } else if (transfer.size > 0) {
    input_.received(block.first(transfer.size));
  }
  return transfer.size == block.size();
}

void TlsStream::end_input(std::span<char> block) noexcept {
  if (!block.empty()) {
    input_.stash();
    loop_.blocks().give_back(block.data());
  }
  free_buffers();
}

// 16 KiB each way, made anew when there is something to do.
void TlsStream::free_buffers() noexcept {
  // OpenSSL before 3.0.14 would free what has not been read yet (CVE-2024-4741).
  if (SSL_has_pending(ssl_) == 0) SSL_free_buffers(ssl_);
}

Transfer TlsStream::try_read(std::span<char> bytes) noexcept {
  if (read_error_ != 0) return {0, read_error_};
  if (ended_) return {};
  std::span<char> block;
  std::size_t size = 0;
  bool more = true;
  unsigned receives = 0;
  answers_ = 0;
  while (size < bytes.size() && answers_ < most_answers) {
    if (SSL_pending(ssl_) == 0 && !input_.has_record()) {
      if (!more || receives++ == most_receives) break;
      more = receive(block);
      if (read_error_ != 0 || ended_) break;
      continue;
    }
    tls::clear_errors();
    input_.allow(1);
    std::size_t count = 0;
    const auto result = SSL_read_ex(ssl_, bytes.data() + size, bytes.size() - size, &count);
    size += count;
    if (result == 1) {
      barren_ = 0;
      continue;
    }
    const auto error = SSL_get_error(ssl_, result);
    if (error == SSL_ERROR_WANT_READ && ++barren_ <= most_barren) continue;
    if (error == SSL_ERROR_WANT_READ) {
      reject(fault_, "too many records without data");
      fail("");
    } else if (error == SSL_ERROR_ZERO_RETURN) {
      ended_ = true;
    } else {
      fail("reading");
    }
    break;
  }
  end_input(block);
  if (unsent_.size() > most_unsent) {
    reject(fault_, "the peer reads nothing");
    fail("");
  }
  if (halved_) end_rest();
  if (size > 0) return {size, 0};
  if (read_error_ != 0) return {0, read_error_};
  return ended_ ? Transfer{} : Transfer{0, EAGAIN};
}

// Writing

// A message between the two ends of TLS (a ticket, a key update) may come in several records, with
// nothing between them (RFC 8446 5.1). Whoever writes meanwhile receives the rest. False: it is not
// there yet.
bool TlsStream::receive_rest(std::span<char>& block) noexcept {
  halved_ = true;
  if (!input_.has_record()) static_cast<void>(receive(block));
  input_.allow(1);
  if (input_.has_record()) {
    if (++barren_ <= most_barren) return true;
    reject(fault_, "too many records without data");
    fail("");
    return false;
  }
  if (read_error_ != 0) write_error_ = read_error_;
  if (!ended_) return false;
  reject(fault_, "the peer hung up in the middle of a message");
  fail("");
  return false;
}

void TlsStream::end_rest() noexcept {
  if (read_error_ == 0 && !ended_ && SSL_in_init(ssl_)) return;
  halved_ = false;
  if (writer_) watch_writable();
  // No byte on the socket will wake it: all has been received.
  if (reader_ && reads_at_once()) post();
}

Transfer TlsStream::try_write(std::span<const char> head, std::span<const char> body) noexcept {
  if (write_error_ != 0) return {0, write_error_};
  if (shut_) return {0, EPIPE};
  if (!flush()) return {0, write_error_ != 0 ? write_error_ : EAGAIN};
  const auto total = head.size() + body.size();
  char together[largest_record];
  if (total <= largest_record && !head.empty() && !body.empty()) {
    std::memcpy(together, head.data(), head.size());
    std::memcpy(together + head.size(), body.data(), body.size());
    head = {together, total};
    body = {};
  }
  Gathering gathering;
  gathering_ = &gathering;
  std::span<char> block;
  std::size_t taken = 0;
  while (taken < total && unsent_.empty() && write_error_ == 0) {
    auto& part = head.empty() ? body : head;
    const auto wanted = std::min(part.size(), largest_record);
    gathering.last = taken + wanted == total;
    tls::clear_errors();
    std::size_t count = 0;
    if (SSL_write_ex(ssl_, part.data(), wanted, &count) != 1) {
      if (SSL_get_error(ssl_, 0) != SSL_ERROR_WANT_READ) {
        fail("writing");
      } else if (receive_rest(block)) {
        continue;
      }
      break;
    }
    part = part.subspan(count);
    taken += count;
  }
  end_output(gathering);
  end_input(block);
  if (halved_) end_rest();
  if (write_error_ != 0) return {0, write_error_};
  return {taken, halved_ && taken == 0 ? EAGAIN : 0};
}

// OpenSSL has made a piece of ciphertext.
void TlsStream::emit(std::span<const char> bytes) noexcept {
  if (write_error_ != 0) return;
  if (!unsent_.empty()) {
    ++answers_;
    unsent_.append(bytes.data(), bytes.size());
    return;
  }
  if (!gathering_) {
    ++answers_;
    return send({}, bytes);
  }
  auto& gathering = *gathering_;
  if (!gathering.last && gathering.block.empty()) gathering.block = loop_.blocks().take();
  if (gathering.last || gathering.size + bytes.size() > gathering.block.size()) {
    const auto before = gathering.block.first(std::exchange(gathering.size, 0));
    return send(before, bytes);
  }
  std::memcpy(gathering.block.data() + gathering.size, bytes.data(), bytes.size());
  gathering.size += bytes.size();
}

void TlsStream::end_output(Gathering& gathering) noexcept {
  gathering_ = nullptr;
  if (gathering.size > 0) send(gathering.block.first(gathering.size), {});
  if (!gathering.block.empty()) loop_.blocks().give_back(gathering.block.data());
}

void TlsStream::send(std::span<const char> head, std::span<const char> body) noexcept {
  const auto transfer = head.empty() ? inner_->try_write(body) : inner_->try_write(head, body);
  if (transfer.failed()) {
    write_error_ = inner_error_ = transfer.error;
    return;
  }
  const auto of_head = std::min(transfer.size, head.size());
  const auto of_body = transfer.size - of_head;
  unsent_.append(head.data() + of_head, head.size() - of_head);
  unsent_.append(body.data() + of_body, body.size() - of_body);
  if (!unsent_.empty()) watch_writable();
}

// True: nothing is left that the inner stream has not taken.
bool TlsStream::flush() noexcept {
  if (unsent_.empty()) return write_error_ == 0;
  const auto rest = std::span{unsent_}.subspan(unsent_start_);
  const auto transfer = inner_->try_write(rest);
  if (transfer.failed()) {
    write_error_ = inner_error_ = transfer.error;
    std::string{}.swap(unsent_);
    unsent_start_ = 0;
    return false;
  }
  unsent_start_ += transfer.size;
  if (unsent_start_ != unsent_.size()) {
    watch_writable();
    return false;
  }
  std::string{}.swap(unsent_);
  unsent_start_ = 0;
  if (std::exchange(ending_, false)) inner_->shut_down();
  return true;
}

}  // namespace hotline
