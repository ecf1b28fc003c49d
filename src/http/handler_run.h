#pragma once

#include <boost/intrusive/list_hook.hpp>

#include <hotline/base/error.h>
#include <hotline/base/task.h>
#include <hotline/http/exchange.h>

namespace hotline::http {

class Http1Exchange;
class Http1Session;
class Worker;
struct Route;

using AutoUnlink =
    boost::intrusive::list_base_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A handler's task, a root of its own: it outlives the session where the handler takes the
/// connection over. Deletes itself when the task has ended.
class HandlerRun final : private hotline::detail::ChainOwner, public AutoUnlink {
 public:
  /// Calls the route's handler. It may have ended when this returns.
  static void start(Worker& worker, const Route& route, Http1Exchange& exchange) noexcept;

  HandlerRun(const HandlerRun&) = delete;
  HandlerRun& operator=(const HandlerRun&) = delete;
  /// Cancels: destroys the task, at once or, if it runs just now, at its next suspension.
  ~HandlerRun();

  void exchange_released() noexcept { exchange_ = nullptr; }
  /// Whose next request waits for the handler's end.
  void serve(Http1Session& session) noexcept;
  void session_gone() noexcept { session_ = nullptr; }
  void observe(detail::HandlerObserver* observer) noexcept { observer_.set(observer); }

 private:
  HandlerRun(Worker& worker, const Route& route, Http1Exchange& exchange) noexcept;

  void chain_finished() noexcept override;
  void ended(const std::exception_ptr& exception) noexcept;
  bool is_failure(const std::exception_ptr& exception) noexcept;

  Worker& worker_;
  const Route& route_;
  Http1Exchange* exchange_;          // null once released
  Http1Session* session_ = nullptr;  // null once it has gone
  hotline::detail::Chain chain_;
  detail::ObserverSlot observer_;
};

}  // namespace hotline::http
