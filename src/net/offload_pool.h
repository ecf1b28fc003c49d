#pragma once

#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

namespace hotline {

/// Threads for work that would hold up a loop. One pool per loop, made when it is first needed.
class OffloadPool {
 public:
  explicit OffloadPool(unsigned threads = 2) : pool_(threads) {}
  ~OffloadPool() {
    // What has not begun is dropped; what runs is waited for.
    pool_.stop();
    pool_.join();
  }

  template <typename Function>
  void run(Function function) {
    boost::asio::post(pool_, std::move(function));
  }

 private:
  boost::asio::thread_pool pool_;
};

}  // namespace hotline
