#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "http/head_reader.h"

namespace hotline::http {

/// How the end of a request's body is known (RFC 9112 6.3).
struct BodyFraming {
  bool chunked = false;
  std::uint64_t length = 0;  // where it is not chunked

  bool is_empty() const noexcept { return !chunked && length == 0; }
};

/// Takes a body out of the bytes behind a head (RFC 9112 6 and 7.1), and refuses what is not one at
/// the first byte that shows it: whatever can be read in two ways is never repaired.
///
///     *( 1*16HEXDIG [ *BLANK ";" extension ] CRLF data CRLF ) 1*"0" [ extension ] CRLF trailers
///
/// Extensions are dropped, and bounded over the whole body; trailers are looked at as fields of a
/// head are, and dropped. Looks at each byte of the frame once, however the input is cut; keeps
/// none; never throws.
class BodyDecoder {
 public:
  enum class Result : std::uint8_t { need_more, piece, complete, refused };
  struct Step {
    Result result;
    std::size_t taken = 0;     // of the bytes given; at `piece` with those of it
    std::string_view piece{};  // into the bytes given; not empty
  };

  /// Bytes of extensions in one body.
  static constexpr std::size_t most_extensions = 4096;

  /// No body: complete.
  explicit BodyDecoder(const HeadLimits& limits) noexcept : BodyDecoder(limits, {}) {}
  /// `limits`, of the trailers, outlive the decoder.
  BodyDecoder(const HeadLimits& limits, const BodyFraming& framing) noexcept;

  /// The next piece of the body in `bytes`, which begin where the last step's `taken` ended.
  /// Complete or refused, it takes nothing and says so again.
  Step next(std::string_view bytes) noexcept;

  bool complete() const noexcept { return part_ == Part::complete; }
  bool refused() const noexcept { return part_ == Part::refused; }
  /// Bytes of the body so far.
  std::uint64_t received() const noexcept { return received_; }
  /// Bytes of the body that are known to follow: all of them, where it is not chunked.
  std::uint64_t announced() const noexcept { return left_; }
  const Refusal& refusal() const noexcept { return refusal_; }

 private:
  enum class Part : std::uint8_t {
    data,  // not chunked
    size_start,
    size,
    blank,
    extension,
    size_lf,
    chunk,
    chunk_cr,
    chunk_lf,
    trailers,
    complete,
    refused,
  };

  void refuse(std::string_view reason) noexcept;
  void frame_byte(unsigned char byte) noexcept;
  void size_byte(unsigned char byte) noexcept;
  void extension_byte(unsigned char byte) noexcept;

  std::uint64_t left_ = 0;  // of the body, or of the chunk
  std::uint64_t received_ = 0;
  std::size_t extensions_ = 0;
  HeadReader trailers_;
  Refusal refusal_;
  Part part_;
  std::uint8_t digits_ = 0;
};

}  // namespace hotline::http
