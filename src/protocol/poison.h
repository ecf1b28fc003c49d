#pragma once

#include <cstddef>

#if defined(__SANITIZE_ADDRESS__)
#define HOTLINE_POISONS 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HOTLINE_POISONS 1
#endif
#endif

#ifdef HOTLINE_POISONS
#include <sanitizer/asan_interface.h>
#endif

namespace hotline::protocol {

/// Under the address sanitizer, makes any use of the bytes an error, until unpoison().
inline void poison([[maybe_unused]] const void* bytes, [[maybe_unused]] std::size_t size) noexcept {
#ifdef HOTLINE_POISONS
  ASAN_POISON_MEMORY_REGION(bytes, size);
#endif
}

inline void unpoison([[maybe_unused]] const void* bytes,
                     [[maybe_unused]] std::size_t size) noexcept {
#ifdef HOTLINE_POISONS
  ASAN_UNPOISON_MEMORY_REGION(bytes, size);
#endif
}

}  // namespace hotline::protocol
