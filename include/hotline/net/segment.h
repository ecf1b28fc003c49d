#pragma once

#include <cstddef>

namespace hotline {
class Output;
}

namespace hotline::detail {

/// A piece of an output's backlog. The base is embedded in a suspended write and refers to the
/// caller's memory (or to none: a fence behind what was queued before it).
class Segment {
 public:
  Segment() = default;
  Segment(const Segment&) = delete;
  Segment& operator=(const Segment&) = delete;

  bool queued() const noexcept { return queued_; }

 protected:
  ~Segment() = default;

 private:
  friend class hotline::Output;
  /// The bytes are with the system, or the output has failed. May destroy the segment and the
  /// output.
  virtual void sent() noexcept {}

  // Of a segment that is queued; a write that is not pays nothing for them.
  Segment* next_;
  const char* data_;
  std::size_t size_;
  bool queued_ = false;
  enum class Kind : unsigned char { waiting, copied, shared };  // the last two are the output's own
  Kind kind_ = Kind::waiting;
};

}  // namespace hotline::detail
