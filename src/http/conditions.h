#pragma once

#include <cstdint>
#include <ctime>
#include <optional>
#include <string>
#include <string_view>

#include <hotline/http/request.h>

/// What a request makes its answer depend on, and how much of it it wants (RFC 9110 13, 14).
namespace hotline::http {

/// What tells one state of a resource from another.
struct Validators {
  std::string etag;  // strong, with its quotes
  std::time_t modified = 0;
};

enum class Verdict : std::uint8_t {
  proceed,
  not_modified,         // 304
  precondition_failed,  // 412
};
/// If-Match, If-Unmodified-Since, If-None-Match and If-Modified-Since, in the order of RFC 9110
/// 13.2.2. For GET and HEAD.
Verdict judge(const Request& request, const Validators& validators);

/// `length` bytes from `first`; never empty.
struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};
struct WantedRange {
  enum class Kind : std::uint8_t { whole, part, unsatisfiable };
  Kind kind = Kind::whole;
  ByteRange range;  // of a part
};
/// Range and If-Range, of something of `size` bytes. The whole where the range is malformed, where
/// there are several, where the state has changed, or where the method is not GET.
WantedRange wanted_range(const Request& request, const Validators& validators, std::uint64_t size);

}  // namespace hotline::http
