#include <hotline/net/offload.h>

#include "net/loop.h"
#include "net/offload_pool.h"

namespace hotline::detail {

Loop& require_loop() { return Loop::require(); }
bool is_draining(Loop& loop) noexcept { return loop.draining(); }

void offload(Loop& loop, std::function<void()> work, std::function<void()> done) {
  loop.offload_pool().run([&loop, work = std::move(work), done = std::move(done)]() mutable {
    work();
    loop.post(std::move(done));
  });
}

}  // namespace hotline::detail
