#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>

namespace hotline::bench {

// Counts of values in buckets of at most 1/32 of their value; below 64 they are exact.
class Histogram {
 public:
  void add(std::uint64_t value) {
    ++counts_[bucket(value)];
    ++total_;
  }

  // The upper end of the bucket in which the given share (0 to 1) of all values is reached.
  std::uint64_t percentile(double share) const {
    const auto rank = static_cast<std::uint64_t>(share * static_cast<double>(total_));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < counts_.size(); ++i) {
      seen += counts_[i];
      if (seen > rank || (seen == total_ && total_ != 0)) return upper_end(i);
    }
    return 0;
  }

 private:
  static constexpr int precision = 5;

  static std::size_t bucket(std::uint64_t value) {
    const auto shift = static_cast<std::size_t>(std::bit_width(value >> (precision + 1)));
    return (shift << precision) + (value >> shift);
  }

  static std::uint64_t upper_end(std::size_t bucket) {
    if (bucket < 2u << precision) return bucket;
    const std::size_t shift = (bucket >> precision) - 1;
    const std::uint64_t mantissa = bucket - (shift << precision);
    return ((mantissa + 1) << shift) - 1;
  }

  std::array<std::uint64_t, 61u << precision> counts_{};
  std::uint64_t total_ = 0;
};

}  // namespace hotline::bench
