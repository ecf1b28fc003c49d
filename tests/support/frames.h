#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <hotline/protocol/close_status.h>
#include <hotline/protocol/frame.h>

/// Frames as a peer puts them on the wire, and as a test reads them: plain and slow, and
/// independent of the code under test.
namespace hotline::testing {

struct FrameOptions {
  bool fin = true;
  bool masked = false;
  std::uint8_t rsv = 0;  // the three bits, as in 0x40, 0x20, 0x10
};

inline std::string raw_frame(int opcode, std::string_view payload, FrameOptions options = {}) {
  static constexpr std::array<unsigned char, 4> key = {0x37, 0xfa, 0x21, 0x3d};
  std::string result;
  result += static_cast<char>((options.fin ? 0x80 : 0) | options.rsv | opcode);
  const int mask = options.masked ? 0x80 : 0;
  if (payload.size() < 126) {
    result += static_cast<char>(mask | static_cast<int>(payload.size()));
  } else if (payload.size() < 65536) {
    result += static_cast<char>(mask | 126);
    result += static_cast<char>(payload.size() >> 8);
    result += static_cast<char>(payload.size() & 255);
  } else {
    result += static_cast<char>(mask | 127);
    for (int shift = 56; shift >= 0; shift -= 8) {
      result += static_cast<char>((payload.size() >> shift) & 255);
    }
  }
  if (!options.masked) return result.append(payload);
  for (const auto byte : key) result += static_cast<char>(byte);
  for (std::size_t i = 0; i < payload.size(); ++i) {
    result += static_cast<char>(static_cast<unsigned char>(payload[i]) ^ key[i % 4]);
  }
  return result;
}

/// What a client sends, and what a server sends.
inline std::string from_client(int opcode, std::string_view payload, bool fin = true) {
  return raw_frame(opcode, payload, {.fin = fin, .masked = true});
}
inline std::string from_server(int opcode, std::string_view payload, bool fin = true) {
  return raw_frame(opcode, payload, {.fin = fin});
}

inline std::string close_payload(int code, std::string_view reason = {}) {
  std::string result;
  result += static_cast<char>(code >> 8);
  result += static_cast<char>(code & 255);
  return result.append(reason);
}

struct ParsedFrame {
  bool fin = false;
  int opcode = 0;
  bool masked = false;
  std::array<unsigned char, 4> key{};  // where it is masked
  std::string payload;                 // unmasked

  int close_code() const {
    if (payload.size() < 2) return 1005;
    return static_cast<unsigned char>(payload[0]) << 8 | static_cast<unsigned char>(payload[1]);
  }
};

/// Takes the first whole frame off `bytes`; nothing if there is none.
inline std::optional<ParsedFrame> take_frame(std::string& bytes) {
  const auto at = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  if (bytes.size() < 2) return std::nullopt;
  ParsedFrame frame;
  frame.fin = (at(0) & 0x80) != 0;
  frame.opcode = at(0) & 15;
  frame.masked = (at(1) & 0x80) != 0;
  std::uint64_t size = at(1) & 0x7f;
  std::size_t head = 2;
  const std::size_t more = size == 126 ? 2 : size == 127 ? 8 : 0;
  if (bytes.size() < head + more) return std::nullopt;
  if (more != 0) size = 0;
  for (std::size_t i = 0; i < more; ++i) size = size << 8 | at(head++);
  auto& key = frame.key;
  if (frame.masked) {
    if (bytes.size() < head + 4) return std::nullopt;
    for (auto& byte : key) byte = at(head++);
  }
  if (bytes.size() - head < size) return std::nullopt;
  frame.payload = bytes.substr(head, size);
  for (std::size_t i = 0; i < frame.payload.size(); ++i) {
    frame.payload[i] = static_cast<char>(static_cast<unsigned char>(frame.payload[i]) ^ key[i % 4]);
  }
  bytes.erase(0, head + size);
  return frame;
}

}  // namespace hotline::testing
