#pragma once

#include <cstddef>
#include <limits>
#include <span>
#include <string>
#include <string_view>

namespace hotline::tls {

/// Records (RFC 8446 5.1) on their way from the socket to OpenSSL, which gets each only when it is
/// whole: so it holds no buffer for a connection that waits, and what is kept of a partial record
/// is as large as what has come of it.
class Input {
 public:
  /// `bytes` came before anything that will be received.
  void keep(std::string_view bytes) { kept_.append(bytes); }
  /// Bytes that have come just now. They stay where they are until stash(). Before this, what was
  /// received earlier has been stashed, and there is no whole record.
  void received(std::span<const char> bytes);
  /// Copies what has not been taken of the bytes received.
  void stash();
  /// Whether there is something for OpenSSL: a whole record, or what is no record at all (it knows
  /// what to say about that).
  bool has_record() const noexcept;
  /// How many records may be begun from now on: what nobody asked for can wait for its turn.
  void allow(std::size_t records) noexcept { allowed_ = records; }
  /// Up to `size` bytes of the record that is next: how many. 0: it is not whole, or not allowed.
  std::size_t take(char* to, std::size_t size) noexcept;

  std::size_t kept() const noexcept { return kept_.size() - kept_start_; }
  std::size_t memory() const noexcept { return kept_.capacity(); }

 private:
  std::string_view front() const noexcept;

  std::string kept_;
  std::size_t kept_start_ = 0;
  std::span<const char> now_;
  std::size_t allowed_ = std::numeric_limits<std::size_t>::max();
  std::size_t record_left_ = 0;  // of the record that OpenSSL has begun to take
};

}  // namespace hotline::tls
