#pragma once

#include <memory>

#include <hotline/base/task.h>

#include "net/loop.h"

namespace hotline::http {

/// `co_await` lets the loop serve others before it goes on.
class [[nodiscard("co_await it")]] NextTurn {
 public:
  explicit NextTurn(Loop& loop) noexcept : loop_(loop) {}
  NextTurn(const NextTurn&) = delete;
  NextTurn& operator=(const NextTurn&) = delete;

  bool await_ready() const noexcept { return false; }
  template <hotline::detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) {
    resumption_ = hotline::detail::Resumption{handle};
    posted_ = std::make_shared<NextTurn*>(this);
    loop_.post([weak = std::weak_ptr{posted_}] {
      if (const auto posted = weak.lock()) (*posted)->resumption_.resume();
    });
  }
  void await_resume() const noexcept {}

 private:
  Loop& loop_;
  hotline::detail::Resumption resumption_;
  std::shared_ptr<NextTurn*> posted_;  // goes with this: what was posted then finds nobody
};

}  // namespace hotline::http
