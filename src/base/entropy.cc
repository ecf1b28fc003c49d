#include <hotline/base/entropy.h>

#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <exception>

namespace hotline {
namespace {

class SystemEntropy final : public Entropy {
 public:
  void fill(std::span<std::byte> bytes) noexcept override {
    while (!bytes.empty()) {
      if (used_ == pool_.size()) refill();
      const auto count = std::min(bytes.size(), pool_.size() - used_);
      std::memcpy(bytes.data(), pool_.data() + used_, count);
      // What was given out is not kept: a later leak of this memory tells no earlier key.
      std::memset(pool_.data() + used_, 0, count);
      used_ += count;
      bytes = bytes.subspan(count);
    }
  }

 private:
  void refill() noexcept {
    std::size_t filled = 0;
    while (filled < pool_.size()) {
      const auto count = ::getrandom(pool_.data() + filled, pool_.size() - filled, 0);
      if (count > 0) {
        filled += static_cast<std::size_t>(count);
      } else if (errno != EINTR) {
        std::terminate();  // no kernel that runs this program lacks getrandom; weak keys are worse
      }
    }
    used_ = 0;
  }

  std::array<std::byte, 1024> pool_{};
  std::size_t used_ = pool_.size();
};

}  // namespace

std::uint64_t Entropy::number() noexcept {
  std::uint64_t value = 0;
  fill(std::as_writable_bytes(std::span{&value, 1}));
  return value;
}

Entropy& system_entropy() noexcept {
  static thread_local SystemEntropy entropy;
  return entropy;
}

void SeededEntropy::fill(std::span<std::byte> bytes) noexcept {
  // splitmix64
  while (!bytes.empty()) {
    auto z = (state_ += 0x9e3779b97f4a7c15u);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    z ^= z >> 31;
    const auto count = std::min(bytes.size(), sizeof z);
    std::memcpy(bytes.data(), &z, count);
    bytes = bytes.subspan(count);
  }
}

}  // namespace hotline
