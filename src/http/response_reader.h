#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include <hotline/http/response_head.h>

#include "http/body_decoder.h"
#include "http/head_reader.h"

namespace hotline::http {

/// Reads the head of a response (RFC 9112 4 and 5), and refuses what is not one at the first byte
/// that shows it. Its lines are looked at by the rules for those of a request: see HeadReader.
///
///     HTTP/1.x SP 3DIGIT [SP reason] CRLF *( name ":" value CRLF ) CRLF
class ResponseReader {
 public:
  enum class Result : std::uint8_t { need_more, complete, refused };

  explicit ResponseReader(const HeadLimits& limits = {}) noexcept;
  ResponseReader(const ResponseReader&) = delete;
  ResponseReader& operator=(const ResponseReader&) = delete;

  /// Takes the next bytes up to the end of the head, and removes them from the front of `bytes`.
  /// Not to be called again unless it needs more.
  Result feed(std::string_view& bytes);

  /// Why it is refused: a sentence, all of it ours.
  const std::string& refusal() const noexcept { return refusal_; }
  /// The bytes taken so far; at `complete`, with the empty line.
  const std::string& bytes() const noexcept { return bytes_; }
  /// 10 or 11, where it is complete.
  int version() const noexcept { return version_; }
  ResponseHead head() const;

 private:
  Result refuse(std::string reason);
  bool status_byte(char byte);

  HeadLimits limits_;
  HeadReader fields_;
  std::string bytes_;
  std::string refusal_;
  std::size_t status_line_ = 0;  // its size, once it is complete
  int version_ = 11;
};

/// The beginning of a response's body (RFC 9112 6.3). Its connection is not used again, so what is
/// malformed just ends it.
class ResponseBody {
 public:
  ResponseBody(const ResponseHead& head, std::size_t most);

  /// The next bytes behind the head.
  void feed(std::string_view bytes);
  /// All of it, or as much as is wanted.
  bool done() const noexcept { return done_; }
  std::string& text() noexcept { return text_; }

 private:
  HeadLimits limits_;
  BodyDecoder decoder_;
  std::size_t most_;
  std::string text_;
  bool done_;
};

}  // namespace hotline::http
