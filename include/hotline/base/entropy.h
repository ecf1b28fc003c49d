#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

namespace hotline {

/// Where masking keys, nonces and jitter come from.
class Entropy {
 public:
  virtual ~Entropy() = default;
  virtual void fill(std::span<std::byte> bytes) noexcept = 0;

  std::uint64_t number() noexcept;
};

/// The kernel's generator (getrandom), read in batches. One per thread: the reference is for the
/// calling thread only.
Entropy& system_entropy() noexcept;

/// The same numbers for the same seed; for tests, never for keys.
class SeededEntropy final : public Entropy {
 public:
  explicit SeededEntropy(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> bytes) noexcept override;

 private:
  std::uint64_t state_;
};

}  // namespace hotline
