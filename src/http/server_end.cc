#include "http/server_end.h"

#include <utility>

#include <hotline/base/error.h>

#include "net/loop.h"

namespace hotline::http {

// What an awaiter and the end share: either may go first, on different threads.
struct ServerEnd::Link {
  std::mutex mutex;
  Loop* loop = nullptr;        // null: it, or who waits on it, has gone
  Awaiter* awaiter = nullptr;  // the loop's thread only
};

class ServerEnd::Awaiter final : private hotline::detail::Drainable {
 public:
  explicit Awaiter(ServerEnd& end) : end_(end) {}
  Awaiter(const Awaiter&) = delete;
  Awaiter& operator=(const Awaiter&) = delete;
  ~Awaiter() { let_go(); }

  bool await_ready() const noexcept { return end_.told(); }
  template <hotline::detail::TaskPromise Promise>
  bool await_suspend(std::coroutine_handle<Promise> handle) {
    auto& loop = Loop::require();
    if (loop.draining()) {
      cancelled_ = true;
      return false;
    }
    link_->loop = &loop;
    link_->awaiter = this;
    if (!end_.add(link_)) return false;
    resumption_ = hotline::detail::Resumption{handle};
    join(loop);
    return true;
  }
  void await_resume() const {
    if (cancelled_) throw Cancelled();
  }

  void ready() noexcept {
    leave();
    let_go();
    resumption_.resume();
  }

 private:
  void drain() noexcept override {
    cancelled_ = true;
    ready();
  }
  void abandon() noexcept override {
    leave();
    let_go();
  }
  void let_go() noexcept {
    const std::lock_guard lock{link_->mutex};
    link_->loop = nullptr;
    link_->awaiter = nullptr;
  }

  ServerEnd& end_;
  std::shared_ptr<Link> link_ = std::make_shared<Link>();
  hotline::detail::Resumption resumption_;
  bool cancelled_ = false;
};

void ServerEnd::tell() noexcept {
  std::vector<std::shared_ptr<Link>> links;
  {
    const std::lock_guard lock{mutex_};
    told_ = true;
    links.swap(links_);
  }
  changed_.notify_all();
  for (const auto& link : links) {
    const std::lock_guard lock{link->mutex};
    if (!link->loop) continue;
    link->loop->post([link] {
      if (auto* awaiter = link->awaiter) awaiter->ready();
    });
  }
}

bool ServerEnd::told() const noexcept {
  const std::lock_guard lock{mutex_};
  return told_;
}

void ServerEnd::wait() const {
  std::unique_lock lock{mutex_};
  changed_.wait(lock, [this] { return told_; });
}

bool ServerEnd::wait_for(std::chrono::milliseconds time) const {
  std::unique_lock lock{mutex_};
  return changed_.wait_for(lock, time, [this] { return told_; });
}

bool ServerEnd::add(std::shared_ptr<Link> link) {
  const std::lock_guard lock{mutex_};
  if (told_) return false;
  links_.push_back(std::move(link));
  return true;
}

Task<> ServerEnd::awaited(std::shared_ptr<ServerEnd> end) {
  Awaiter awaiter{*end};
  co_await awaiter;
}

}  // namespace hotline::http
