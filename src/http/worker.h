#pragma once

#include <atomic>
#include <cstddef>
#include <string>

#include <boost/intrusive/list.hpp>

#include <hotline/http/server.h>

#include "http/handler_run.h"
#include "http/head_reader.h"
#include "http/host_rule.h"
#include "http/http1_session.h"
#include "http/response_writer.h"
#include "http/router.h"
#include "net/loop.h"

namespace hotline::http {

/// What is served, and how: shared by all loops, and immutable while they run.
struct Site {
  explicit Site(ServerOptions server_options);

  ServerOptions options;
  HeadLimits limits;
  HostRule host_rule;
  Router router;
  std::atomic<std::size_t> connections = 0;
  std::atomic<std::size_t> refusals = 0;  // connections beyond the limit, on their way out
};

/// What one loop serves: its sessions, and the handlers that run. For the loop's thread; outlived
/// by the loop and the site.
class Worker {
 public:
  Worker(Site& site, Loop& loop) noexcept : site_(site), loop_(loop) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { close(); }

  /// Begins a session on a connection that has been accepted.
  void serve(StreamPointer stream);
  /// Ends all sessions and handlers, at once.
  void close() noexcept;

  Site& site() noexcept { return site_; }
  const ServerOptions& options() const noexcept { return site_.options; }
  Loop& loop() noexcept { return loop_; }
  DateCache& date() noexcept { return date_; }
  /// An empty text to work in; what it was before is gone.
  std::string& scratch() noexcept {
    scratch_.clear();
    return scratch_;
  }
  RouteMatch& match() noexcept { return match_; }

  void add(Http1Session& session) noexcept { sessions_.push_back(session); }
  void add(HandlerRun& run) noexcept { runs_.push_back(run); }
  std::size_t sessions() const noexcept { return sessions_.size(); }
  std::size_t runs() const noexcept { return runs_.size(); }

 private:
  template <typename T>
  using List = boost::intrusive::list<T, boost::intrusive::base_hook<AutoUnlink>,
                                      boost::intrusive::constant_time_size<false>>;

  Site& site_;
  Loop& loop_;
  List<Http1Session> sessions_;
  List<HandlerRun> runs_;
  DateCache date_;
  std::string scratch_;
  RouteMatch match_;
};

}  // namespace hotline::http
