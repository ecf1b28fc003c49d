#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include <hotline/http/status.h>

namespace hotline::http {

struct HeadLimits {
  std::size_t bytes = 16 * 1024;
  std::size_t fields = 100;
};

/// Why a request is refused: the answer's status, and a sentence. All of it ours: nothing the peer
/// sent.
struct Refusal {
  Status status = Status::bad_request;
  std::string_view reason;
};

/// Finds the end of a request's head (RFC 9112 2 to 5), and refuses what is not one at the first
/// byte that shows it: whatever can be read in two ways is never repaired.
///
///     [CRLF] method SP target SP HTTP/1.x CRLF *( name ":" value CRLF ) CRLF
///
/// Looks at each byte once, however the input is cut; keeps none of them; never throws.
class HeadReader {
 public:
  enum class Result : std::uint8_t { need_more, complete, refused };

  /// `limits` outlive the reader.
  explicit HeadReader(const HeadLimits& limits) noexcept : limits_(&limits) {}

  /// For the fields behind a chunked body (RFC 9112 7.1.2), up to their empty line.
  static HeadReader of_trailers(const HeadLimits& limits) noexcept {
    HeadReader reader{limits};
    reader.part_ = Part::field_start;
    return reader;
  }

  /// Takes the next bytes, up to the end of the head. Not to be called again unless it needs more.
  Result feed(std::string_view bytes) noexcept;

  /// Bytes taken so far; at `complete`, those of the head.
  std::size_t size() const noexcept { return size_; }
  std::size_t field_count() const noexcept { return fields_; }
  const Refusal& refusal() const noexcept { return refusal_; }
  /// Ready for the next head.
  void reset() noexcept { *this = HeadReader{*limits_}; }

 private:
  enum class Part : std::uint8_t {
    start,
    empty_line,
    method_start,
    method,
    target_start,
    target,
    version,
    request_line_end,
    request_line_lf,
    field_start,
    name,
    value,
    value_lf,
    end_lf,
  };

  Result refuse(Status status, std::string_view reason) noexcept;
  Result refuse(std::string_view reason) noexcept { return refuse(Status::bad_request, reason); }
  Result too_long() noexcept;
  Result step(unsigned char byte) noexcept;
  Result version_byte(unsigned char byte) noexcept;
  Result field_byte(unsigned char byte) noexcept;

  const HeadLimits* limits_;
  std::size_t size_ = 0;
  std::size_t fields_ = 0;
  Refusal refusal_;
  Part part_ = Part::start;
  std::uint8_t version_at_ = 0;
  bool http1_ = false;
};

}  // namespace hotline::http
