#pragma once

#include <memory>
#include <unordered_map>

#include <boost/asio/execution_context.hpp>
#include <boost/asio/io_context.hpp>

namespace hotline {

class Loop;

namespace detail {

class StartedTask;

/// An io_context's knowledge of its Loop, and of the tasks that Asio code has started in it. For
/// the thread that runs the io_context, but for being made.
class LoopService final : public boost::asio::execution_context::service {
 public:
  using key_type = LoopService;
  static boost::asio::execution_context::id id;

  explicit LoopService(boost::asio::execution_context& context);
  ~LoopService() override;

  static LoopService& of(boost::asio::io_context& context);

  /// A loop of this context begins to be, or ends. The first is the one that tasks run in.
  void add(Loop& loop) noexcept;
  void remove(Loop& loop) noexcept;
  /// The context's loop; made if there is none.
  Loop& loop(boost::asio::io_context& context);

  void keep(std::shared_ptr<StartedTask> task);
  void forget(StartedTask& task) noexcept;

 private:
  void shutdown() override;
  void drop_tasks() noexcept;

  Loop* loop_ = nullptr;
  std::unique_ptr<Loop> own_;
  std::unordered_map<StartedTask*, std::shared_ptr<StartedTask>> tasks_;
};

}  // namespace detail
}  // namespace hotline
