#pragma once

#include <cstddef>

namespace hotline::protocol {

/// Watches what this thread asks malloc and realloc for, while it lives. For tests; one at a time.
class Allocations {
 public:
  Allocations() noexcept;
  Allocations(const Allocations&) = delete;
  Allocations& operator=(const Allocations&) = delete;
  ~Allocations();

  [[nodiscard]] std::size_t count() const noexcept;
  /// The bytes of all of them, freed or not.
  [[nodiscard]] std::size_t bytes() const noexcept;
  /// The bytes of the largest one.
  [[nodiscard]] std::size_t largest() const noexcept;

  /// Whether fail() works: not under a sanitizer, whose allocator it is then.
  [[nodiscard]] static bool can_fail() noexcept;
  /// Makes all allocations fail from now on, or succeed again.
  void fail(bool all) noexcept;
};

}  // namespace hotline::protocol
