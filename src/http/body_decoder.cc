#include "http/body_decoder.h"

#include <algorithm>

namespace hotline::http {
namespace {

// Half of what 64 bits hold, so that sums of two cannot overflow.
constexpr std::uint64_t largest = ~std::uint64_t{0} >> 1;

int hex_digit(unsigned char byte) noexcept {
  if (byte >= '0' && byte <= '9') return byte - '0';
  if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
  if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
  return -1;
}

constexpr std::string_view bare_cr = "a carriage return without a line feed";
constexpr std::string_view bare_lf = "a line feed without a carriage return";

bool is_blank(unsigned char byte) noexcept { return byte == ' ' || byte == '\t'; }

}  // namespace

BodyDecoder::BodyDecoder(const HeadLimits& limits, const BodyFraming& framing) noexcept
    : left_(framing.chunked ? 0 : framing.length),
      trailers_(HeadReader::of_trailers(limits)),
      part_(framing.chunked      ? Part::size_start
            : framing.length > 0 ? Part::data
                                 : Part::complete) {}

BodyDecoder::Step BodyDecoder::next(std::string_view bytes) noexcept {
  std::size_t taken = 0;
  for (;;) {
    if (part_ == Part::complete) return {Result::complete, taken};
    if (part_ == Part::refused) return {Result::refused, taken};
    const auto rest = bytes.substr(taken);
    if (rest.empty()) return {Result::need_more, taken};
    if (part_ == Part::data || part_ == Part::chunk) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(left_, rest.size()));
      left_ -= size;
      received_ += size;
      if (left_ == 0) part_ = part_ == Part::data ? Part::complete : Part::chunk_cr;
      return {Result::piece, taken + size, rest.substr(0, size)};
    }
    if (part_ == Part::trailers) {
      const auto before = trailers_.size();
      const auto result = trailers_.feed(rest);
      taken += trailers_.size() - before;
      if (result == HeadReader::Result::need_more) return {Result::need_more, taken};
      if (result == HeadReader::Result::complete) {
        part_ = Part::complete;
      } else {
        refusal_ = trailers_.refusal();
        part_ = Part::refused;
      }
      continue;
    }
    ++taken;
    frame_byte(static_cast<unsigned char>(rest[0]));
  }
}

void BodyDecoder::refuse(std::string_view reason) noexcept {
  refusal_ = {Status::bad_request, reason};
  part_ = Part::refused;
}

void BodyDecoder::frame_byte(unsigned char byte) noexcept {
  switch (part_) {
    case Part::size_start:
      if (hex_digit(byte) < 0) return refuse("the size of a chunk is not a hexadecimal number");
      left_ = 0;
      digits_ = 0;
      part_ = Part::size;
      return size_byte(byte);
    case Part::size: return size_byte(byte);
    case Part::blank:
      ++extensions_;
      if (byte == ';') {
        part_ = Part::extension;
      } else if (!is_blank(byte) || extensions_ > most_extensions) {
        refuse("something else than an extension behind the size of a chunk");
      }
      return;
    case Part::extension: return extension_byte(byte);
    case Part::size_lf:
      if (byte != '\n') return refuse(bare_cr);
      part_ = left_ == 0 ? Part::trailers : Part::chunk;
      return;
    case Part::chunk_cr:
      if (byte != '\r') return refuse("a chunk does not end where its size says");
      part_ = Part::chunk_lf;
      return;
    default:  // chunk_lf
      if (byte != '\n') return refuse("a chunk does not end where its size says");
      part_ = Part::size_start;
      return;
  }
}

void BodyDecoder::size_byte(unsigned char byte) noexcept {
  if (const auto digit = hex_digit(byte); digit >= 0) {
    const auto size = left_ * 16 + static_cast<std::uint64_t>(digit);
    if (++digits_ > 16 || left_ > largest / 16 || size > largest - received_) {
      return refuse("the size of a chunk is too large");
    }
    left_ = size;
  } else if (byte == '\r') {
    part_ = Part::size_lf;
  } else if (byte == ';') {
    ++extensions_;
    part_ = Part::extension;
  } else if (is_blank(byte)) {
    ++extensions_;
    part_ = Part::blank;
  } else {
    refuse(byte == '\n' ? bare_lf : "the size of a chunk is not a hexadecimal number");
  }
}

void BodyDecoder::extension_byte(unsigned char byte) noexcept {
  if (byte == '\r') {
    part_ = Part::size_lf;
  } else if (byte == '\n') {
    refuse(bare_lf);
  } else if ((byte < 0x20 && byte != '\t') || byte == 0x7f) {
    refuse("a control byte in the extension of a chunk");
  } else if (++extensions_ > most_extensions) {
    refuse("the extensions of chunks are too long");
  }
}

}  // namespace hotline::http
