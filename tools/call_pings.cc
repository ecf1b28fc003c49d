#include "tools/call_pings.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

namespace hotline::tools {

void PingSummary::answered(Duration round_trip) noexcept {
  const auto time = std::chrono::duration<double, std::milli>(round_trip).count();
  least_ = answered_ == 0 ? time : std::min(least_, time);
  most_ = std::max(most_, time);
  sum_ += time;
  sum_of_squares_ += time * time;
  ++answered_;
}

std::string PingSummary::text(std::string_view url) const {
  auto text = "--- " + std::string(url) + " ---\n" + std::to_string(sent_) +
              (sent_ == 1 ? " ping, " : " pings, ") + std::to_string(answered_) +
              (answered_ == 1 ? " pong" : " pongs");
  if (answered_ == 0) return text;
  const auto count = static_cast<double>(answered_);
  const auto mean = sum_ / count;
  const auto deviation = std::sqrt(std::max(0.0, sum_of_squares_ / count - mean * mean));
  std::array<char, 160> line;
  std::snprintf(line.data(), line.size(), "\nround trip min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms",
                least_, mean, most_, deviation);
  return text + line.data();
}

}  // namespace hotline::tools
