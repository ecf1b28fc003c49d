#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include <hotline/net/address.h>

namespace hotline::http {

/// Reads the header of the PROXY protocol, version 1 or 2 (HAProxy's proxy-protocol.txt), and
/// refuses what is not one at the first byte that shows it.
///
/// Of version 2's additional values the lengths are checked, and the CRC-32C if there is one; the
/// rest is skipped. A header has at most 4,096 bytes behind its first 16. Never throws but for want
/// of memory.
class ProxyHeaderReader {
 public:
  enum class Result : std::uint8_t { need_more, complete, refused };

  /// Takes the next bytes, up to the header's end. Not to be called again unless it needs more.
  Result feed(std::string_view bytes);
  /// Bytes taken so far.
  std::size_t size() const noexcept { return header_.size(); }
  /// What is wrong, where it is refused. Ours: nothing the peer sent.
  std::string_view reason() const noexcept { return reason_; }

  /// Of a complete header: whether it names the two ends of the client's connection. LOCAL, UNKNOWN
  /// and a client behind a unix socket leave them as they are.
  bool names_client() const noexcept { return names_client_; }
  const Address& client() const noexcept { return client_; }
  const Address& server() const noexcept { return server_; }

 private:
  Result refuse(std::string_view reason) noexcept;
  Result step() noexcept;
  Result version1() noexcept;
  Result version2() noexcept;
  void addresses(std::size_t size) noexcept;
  bool additions(std::size_t begin) const noexcept;

  std::string header_;
  std::size_t wanted_ = 0;  // of version 2, when its length is known
  std::string_view reason_;
  Address client_;
  Address server_;
  bool names_client_ = false;
};

}  // namespace hotline::http
