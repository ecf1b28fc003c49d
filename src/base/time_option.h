#pragma once

#include <chrono>
#include <string>

#include <hotline/base/error.h>

namespace hotline {

/// More would overflow where it is added to a point in time.
inline constexpr std::chrono::hours longest_time{24 * 365};

/// Throws Error (bad_option) that begins with `name` unless `value` is more than 0 and at most 365
/// days.
template <typename Time>
void check_time(Time value, const std::string& name) {
  if (value > Time::zero() && value <= longest_time) return;
  throw Error(Fault::bad_option, name + ": more than 0, and at most 365 days");
}

}  // namespace hotline
