#include "protocol/allocations.h"

#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define HOTLINE_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define HOTLINE_SANITIZED 1
#endif
#endif

namespace {

struct Counters {
  bool on = false;
  bool failing = false;
  std::size_t count = 0;
  std::size_t bytes = 0;
  std::size_t largest = 0;
};
thread_local constinit Counters counters{};

void count(std::size_t size) noexcept {
  if (!counters.on) return;
  ++counters.count;
  counters.bytes += size;
  counters.largest = std::max(counters.largest, size);
}

}  // namespace

#ifdef HOTLINE_SANITIZED

// Declared in <sanitizer/allocator_interface.h>, which g++ 12 does not install.
extern "C" int __sanitizer_install_malloc_and_free_hooks(void (*malloc_hook)(const volatile void*,
                                                                             std::size_t),
                                                         void (*free_hook)(const volatile void*));

namespace {

const int installed = __sanitizer_install_malloc_and_free_hooks(
    [](const volatile void*, std::size_t size) { count(size); }, [](const volatile void*) {});

}  // namespace

#else

// The C library's own names are weak in the program's face.
extern "C" {
void* __libc_malloc(std::size_t size);
void* __libc_realloc(void* from, std::size_t size);

void* malloc(std::size_t size) noexcept {
  count(size);
  return counters.failing ? nullptr : __libc_malloc(size);
}

void* realloc(void* from, std::size_t size) noexcept {
  count(size);
  return counters.failing ? nullptr : __libc_realloc(from, size);
}
}

#endif

namespace hotline::protocol {

Allocations::Allocations() noexcept { counters = {}, counters.on = true; }
Allocations::~Allocations() { counters = {}; }

std::size_t Allocations::count() const noexcept { return counters.count; }
std::size_t Allocations::bytes() const noexcept { return counters.bytes; }
std::size_t Allocations::largest() const noexcept { return counters.largest; }

bool Allocations::can_fail() noexcept {
#ifdef HOTLINE_SANITIZED
  return installed == 0;
#else
  return true;
#endif
}

void Allocations::fail(bool all) noexcept { counters.failing = all; }

namespace {

void* volatile sink;  // so that no allocation is optimized away

TEST(Allocations, AreSeenWhileOneIsWatching) {
  {
    Allocations watched;
    sink = std::malloc(100);
    sink = std::realloc(sink, 1'000'000);
    EXPECT_EQ(watched.count(), 2U);
    EXPECT_EQ(watched.largest(), 1'000'000U);
    EXPECT_EQ(watched.bytes(), 1'000'100U);
    std::free(sink);
  }
  sink = std::malloc(1);
  std::free(sink);
  Allocations watched;
  EXPECT_EQ(watched.count(), 0U);
}

TEST(Allocations, CanFail) {
  if (!Allocations::can_fail()) GTEST_SKIP() << "the allocator is the sanitizer's";
  Allocations watched;
  watched.fail(true);
  sink = std::malloc(100);
  watched.fail(false);
  EXPECT_EQ(sink, nullptr);
}

}  // namespace
}  // namespace hotline::protocol
