#pragma once

#include <cstdint>
#include <string>

#include <hotline/base/clock.h>

namespace hotline::tools {

/// What ping(8) says at its end.
class PingSummary {
 public:
  void sent() noexcept { ++sent_; }
  void answered(Duration round_trip) noexcept;
  std::uint64_t sent_so_far() const noexcept { return sent_; }
  bool all_answered() const noexcept { return sent_ == answered_; }

  /// Three lines; two where nothing was answered.
  std::string text(std::string_view url) const;

 private:
  std::uint64_t sent_ = 0;
  std::uint64_t answered_ = 0;
  double least_ = 0;  // in milliseconds, as the rest
  double most_ = 0;
  double sum_ = 0;
  double sum_of_squares_ = 0;
};

}  // namespace hotline::tools
