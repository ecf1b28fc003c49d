#include <hotline/testing/seeds.h>

#include <cstdlib>
#include <exception>
#include <stdexcept>
#include <string>

#include <hotline/base/entropy.h>

namespace hotline::testing {

MemoryStreamOptions faults(std::uint64_t seed, Resets resets) {
  SeededEntropy chance{seed};
  const auto one_in = [&](std::uint64_t many) { return chance.number() % many == 0; };
  MemoryStreamOptions options;
  options.seed = chance.number();
  switch (chance.number() % 3) {
    case 0: options.largest_transfer = 1; break;
    case 1:
      options.largest_transfer = 2 + chance.number() % 30;
      options.random_sizes = true;
      break;
    default: options.random_sizes = true; break;
  }
  if (one_in(2)) options.stall_one_in = static_cast<unsigned>(2 + chance.number() % 6);
  if (one_in(2)) options.late_wakeups = static_cast<unsigned>(1 + chance.number() % 5);
  if (one_in(3)) options.capacity = 1 + chance.number() % 100;
  if (resets == Resets::sometimes && one_in(2)) options.reset_at = 1 + chance.number() % 100;
  return options;
}

void for_each_seed(std::uint64_t count, const std::function<void(std::uint64_t)>& test) {
  const auto run = [&](std::uint64_t seed) {
    const auto name = "seed " + std::to_string(seed) + " (HOTLINE_SEED=" + std::to_string(seed) +
                      " runs it alone): ";
    try {
      test(seed);
    } catch (const std::exception& error) {
      throw std::runtime_error(name + error.what());
    } catch (...) {
      throw std::runtime_error(name + "an exception of an unknown type");
    }
  };
  if (const char* chosen = std::getenv("HOTLINE_SEED"); chosen && *chosen) {
    return run(std::stoull(chosen));
  }
  for (std::uint64_t seed = 1; seed <= count; ++seed) run(seed);
}

}  // namespace hotline::testing
