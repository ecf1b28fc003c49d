#include <mutex>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include <hotline/http/server.h>

namespace hotline::http {
namespace {

TEST(EachLoop, is_visited_once_on_its_own_thread) {
  Server server{{.port = 0, .threads = 3}};
  std::mutex mutex;
  std::multiset<std::thread::id> threads;
  const auto visit = [&] {
    const std::scoped_lock lock{mutex};
    threads.insert(std::this_thread::get_id());
    if (threads.size() == 6) server.drain();
  };
  server.on_each_loop(visit);  // before it runs: when it does
  std::thread other{[&] { server.on_each_loop(visit); }};
  EXPECT_EQ(server.run(), 0);
  other.join();
  ASSERT_EQ(threads.size(), 6u);
  EXPECT_EQ(threads.count(std::this_thread::get_id()), 2u);
  EXPECT_EQ(std::set(threads.begin(), threads.end()).size(), 3u);
}

TEST(EachLoop, of_a_server_at_rest_has_no_backlog) {
  const Server server{{.port = 0}};
  EXPECT_EQ(server.backlog(), 0u);
}

}  // namespace
}  // namespace hotline::http
