#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/intrusive/list.hpp>

#include <hotline/http/server.h>

#include "http/admission.h"
#include "http/handler_run.h"
#include "http/head_reader.h"
#include "http/host_rule.h"
#include "http/http1_session.h"
#include "http/proxy_preface.h"
#include "http/response_writer.h"
#include "http/router.h"
#include "http/tls_preface.h"
#include "net/loop.h"
#include "net/network.h"
#include "net/tls.h"

namespace hotline::http {

/// What is served, and how: shared by all loops, and immutable while they run.
struct Site {
  explicit Site(ServerOptions server_options);

  ServerOptions options;
  HeadLimits limits;
  HostRule loopback_rule;  // of connections that came by a loopback listener
  HostRule other_rule;
  TrustedPeers trusted;
  Admission::Pointer admission;
  Router router;
  std::unique_ptr<TlsServer> tls;  // null: none is spoken

  /// Reads the certificates, if there are to be any. Throws Error.
  void prepare_tls();

  ConnectionRules rules(const Address& listener) const noexcept {
    return {listener.is_loopback() ? loopback_rule : other_rule};
  }
  /// Believes what a trusted proxy says about the client.
  void find_client(Request& request) const;
};

/// What one loop serves: its sessions, and the handlers that run. For the loop's thread; outlived
/// by the loop and the site.
class Worker {
 public:
  Worker(Site& site, Loop& loop) noexcept : site_(site), loop_(loop) {}
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  ~Worker() { close(); }

  /// Begins to serve a connection that has been accepted. `rules`: the listener's.
  void serve(StreamPointer stream, ConnectionRules rules);
  /// Begins a connection, or refuses to. `received`: what has come already. `named`: PROXY protocol
  /// has said whom it comes from.
  void admit(StreamPointer stream, ConnectionRules rules, std::string_view received, bool named);
  /// Begins to speak HTTP with whoever has been admitted. `answer`: all that there is to say.
  void begin_session(StreamPointer stream, ConnectionRules rules, std::string_view received,
                     std::optional<Status> answer);
  /// Tells a client that does not speak TLS that it should.
  void answer_plain(StreamPointer stream, ConnectionRules rules);
  /// Tells that a connection was turned away. `reason`: one of a few; `detail` may be empty.
  void refused(const Stream& stream, std::string_view reason, std::string_view detail) noexcept;
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
  void add(ProxyPreface& preface) noexcept { prefaces_.push_back(preface); }
  void add(TlsPreface& preface) noexcept { handshakes_.push_back(preface); }
  std::size_t sessions() const noexcept { return sessions_.size(); }
  std::size_t runs() const noexcept { return runs_.size(); }

 private:
  template <typename T>
  using List = boost::intrusive::list<T, boost::intrusive::base_hook<AutoUnlink>,
                                      boost::intrusive::constant_time_size<false>>;

  void begin(StreamPointer stream, ConnectionRules rules, std::string_view received,
             std::optional<Status> answer);
  void send_away(StreamPointer stream, ConnectionRules rules, std::string_view received,
                 Status status);

  Site& site_;
  Loop& loop_;
  List<ProxyPreface> prefaces_;
  List<TlsPreface> handshakes_;
  List<Http1Session> sessions_;
  List<HandlerRun> runs_;
  DateCache date_;
  std::string scratch_;
  RouteMatch match_;
  TimePoint quiet_until_ = TimePoint::min();  // about connections that are turned away
};

}  // namespace hotline::http
