#pragma once

#include <cstddef>
#include <filesystem>
#include <iterator>

namespace hotline::testing {

/// How many this process has open.
inline std::ptrdiff_t open_descriptors() {
  return std::distance(std::filesystem::directory_iterator{"/proc/self/fd"},
                       std::filesystem::directory_iterator{});
}

}  // namespace hotline::testing
