#include "http/proxy_protocol.h"

#include <array>
#include <charconv>
#include <optional>

namespace hotline::http {
namespace {

constexpr std::string_view signature{"\r\n\r\n\0\r\nQUIT\n", 12};
constexpr std::string_view word = "PROXY ";
constexpr std::size_t longest_line = 107;  // version 1, with CRLF
constexpr std::size_t fixed_part = 16;     // version 2: signature, command, family, length
constexpr std::size_t longest_rest = 4096;
constexpr std::uint8_t crc32c_type = 0x03;  // PP2_TYPE_CRC32C

std::uint8_t byte_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::uint8_t>(bytes[at]);
}
std::size_t number_at(std::string_view bytes, std::size_t at) {
  return static_cast<std::size_t>(byte_at(bytes, at) << 8 | byte_at(bytes, at + 1));
}

constexpr auto crc_table = [] {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < table.size(); ++i) {
    auto value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value & 1 ? 0x82f63b78u : 0u) ^ (value >> 1);
    table[i] = value;
  }
  return table;
}();

// The checksum of a header (RFC 3720 B.4's polynomial), its own four bytes at `field` taken for 0.
std::uint32_t crc32c(std::string_view header, std::size_t field) {
  std::uint32_t crc = ~0u;
  for (std::size_t i = 0; i < header.size(); ++i) {
    const std::uint8_t byte = i >= field && i < field + 4 ? 0 : byte_at(header, i);
    crc = crc_table[(crc ^ byte) & 0xff] ^ (crc >> 8);
  }
  return ~crc;
}

// The words of a line, a single space between two.
class Words {
 public:
  explicit Words(std::string_view line) : rest_(line) {}
  std::string_view next() {
    if (!rest_) return {};
    const auto space = rest_->find(' ');
    const auto text = rest_->substr(0, space);
    rest_ =
        space == std::string_view::npos ? std::nullopt : std::optional{rest_->substr(space + 1)};
    return text;
  }
  bool at_end() const { return !rest_; }

 private:
  std::optional<std::string_view> rest_;
};

std::optional<std::uint16_t> port_in(std::string_view text) {
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool padded = text.size() > 1 && text.starts_with('0');
  if (error != std::errc{} || end != text.data() + text.size() || padded) return std::nullopt;
  return port;
}

}  // namespace

ProxyHeaderReader::Result ProxyHeaderReader::refuse(std::string_view reason) noexcept {
  reason_ = reason;
  return Result::refused;
}

ProxyHeaderReader::Result ProxyHeaderReader::feed(std::string_view bytes) {
  for (const auto byte : bytes) {
    header_ += byte;
    if (const auto result = step(); result != Result::need_more) return result;
  }
  return Result::need_more;
}

// A byte has been added.
ProxyHeaderReader::Result ProxyHeaderReader::step() noexcept {
  const auto at = header_.size() - 1;
  const auto byte = byte_at(header_, at);
  if (header_[0] == signature[0]) {
    if (at < signature.size()) {
      if (header_[at] != signature[at]) return refuse("no PROXY protocol");
      return Result::need_more;
    }
    switch (at) {
      case 12:
        if (byte != 0x20 && byte != 0x21) return refuse("an unknown version or command");
        return Result::need_more;
      case 13:
        // UNSPEC, and streams over IPv4, IPv6 and unix: what else there is cannot have come here.
        if (byte != 0x00 && byte != 0x11 && byte != 0x21 && byte != 0x31) {
          return refuse("an unknown address family, or no stream");
        }
        return Result::need_more;
      case 14: return Result::need_more;
      case 15:
        wanted_ = fixed_part + number_at(header_, 14);
        if (wanted_ > fixed_part + longest_rest) return refuse("too long");
        break;
      default: break;
    }
    return header_.size() == wanted_ ? version2() : Result::need_more;
  }
  if (at < word.size()) {
    if (header_[at] != word[at]) return refuse("no PROXY protocol");
    return Result::need_more;
  }
  if (byte == '\n') {
    if (header_[at - 1] != '\r') return refuse("a line feed without a carriage return");
    return version1();
  }
  if (header_[at - 1] == '\r') return refuse("a carriage return without a line feed");
  if (byte != '\r' && (byte < 0x20 || byte > 0x7e)) return refuse("a byte that is no text");
  if (header_.size() == longest_line) return refuse("too long");
  return Result::need_more;
}

ProxyHeaderReader::Result ProxyHeaderReader::version1() noexcept {
  Words words{std::string_view{header_}.substr(word.size(), header_.size() - word.size() - 2)};
  const auto family = words.next();
  if (family == "UNKNOWN") return Result::complete;
  if (family != "TCP4" && family != "TCP6") return refuse("an unknown address family");
  const auto source = words.next();
  const auto destination = words.next();
  const auto source_port = port_in(words.next());
  const auto destination_port = port_in(words.next());
  if (!source_port || !destination_port || !words.at_end()) return refuse("malformed ports");
  const auto client = Address::parse(source, *source_port);
  const auto server = Address::parse(destination, *destination_port);
  const bool ipv6 = family == "TCP6";
  if (!client || !server || client->is_ipv6() != ipv6 || server->is_ipv6() != ipv6) {
    return refuse("malformed addresses");
  }
  client_ = *client;
  server_ = *server;
  names_client_ = true;
  return Result::complete;
}

ProxyHeaderReader::Result ProxyHeaderReader::version2() noexcept {
  const bool local = header_[12] == 0x20;
  std::size_t address_size = 0;
  switch (header_[13]) {
    case 0x11: address_size = 12; break;
    case 0x21: address_size = 36; break;
    case 0x31: address_size = 216; break;
    default: break;
  }
  // A LOCAL header's addresses mean nothing, and neither do those of an unspecified family.
  if (local || address_size == 0) return Result::complete;
  if (header_.size() - fixed_part < address_size) return refuse("too short for its addresses");
  if (!additions(fixed_part + address_size)) return refuse("malformed additional values");
  if (header_[13] != 0x31) addresses(header_[13] == 0x11 ? 4 : 16);
  return Result::complete;
}

// The client's and the server's address, then their ports.
void ProxyHeaderReader::addresses(std::size_t size) noexcept {
  const std::string_view bytes = std::string_view{header_}.substr(fixed_part);
  const auto port_at = [&](std::size_t at) {
    return static_cast<std::uint16_t>(number_at(bytes, at));
  };
  client_ = Address::from_bytes(bytes.substr(0, size), port_at(2 * size));
  server_ = Address::from_bytes(bytes.substr(size, size), port_at(2 * size + 2));
  names_client_ = true;
}

// Type, length, value: each within the header.
bool ProxyHeaderReader::additions(std::size_t begin) const noexcept {
  const std::string_view header{header_};
  for (auto at = begin; at < header.size();) {
    if (header.size() - at < 3) return false;
    const auto type = byte_at(header, at);
    const auto size = number_at(header, at + 1);
    at += 3;
    if (size > header.size() - at) return false;
    if (type == crc32c_type) {
      if (size != 4) return false;
      const auto told = static_cast<std::uint32_t>(number_at(header, at)) << 16 |
                        static_cast<std::uint32_t>(number_at(header, at + 2));
      if (told != crc32c(header, at)) return false;
    }
    at += size;
  }
  return true;
}

}  // namespace hotline::http
