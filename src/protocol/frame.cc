#include <hotline/protocol/frame.h>

#include <algorithm>

namespace hotline::protocol {
namespace {

char* put_big_endian(char* to, std::uint64_t value, int bytes) noexcept {
  for (int i = bytes - 1; i >= 0; --i) *to++ = static_cast<char>(value >> (8 * i));
  return to;
}

}  // namespace

std::size_t encode(const FrameHeader& header, std::span<char, max_frame_header_size> out) noexcept {
  const std::uint64_t size = header.payload_size;
  const std::uint8_t length = size < length_16 ? static_cast<std::uint8_t>(size)
                              : size <= 0xFFFF ? length_16
                                               : length_64;
  char* at = out.data();
  *at++ = static_cast<char>((header.fin ? fin_bit : 0) | (header.rsv1 ? rsv1_bit : 0) |
                            static_cast<std::uint8_t>(header.opcode));
  *at++ = static_cast<char>((header.key ? mask_bit : 0) | length);
  if (length == length_16) at = put_big_endian(at, size, 2);
  if (length == length_64) at = put_big_endian(at, size, 8);
  if (header.key) at = std::copy(header.key->begin(), header.key->end(), at);
  return static_cast<std::size_t>(at - out.data());
}

}  // namespace hotline::protocol
