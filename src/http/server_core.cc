#include "http/server_core.h"

#include <signal.h>

#include <string>
#include <utility>

#include <boost/asio/signal_set.hpp>

#include <hotline/base/error.h>

#include "base/time_option.h"

namespace hotline::http {
namespace {

constexpr unsigned most_threads = 1024;

LoopOptions loop_options(const ServerOptions& options) {
  LoopOptions result;
  result.logger = options.logger;
  return result;
}

}  // namespace

// SIGINT and SIGTERM: the first drains, the second ends.
class ServerCore::Signals {
 public:
  explicit Signals(ServerCore& core)
      : core_(core), set_(core.loops_[0].context(), SIGINT, SIGTERM) {
    wait();
  }

 private:
  void wait() {
    set_.async_wait([this](const boost::system::error_code& error, int) {
      if (error) return;
      if (core_.draining_) return core_.stop();
      core_.drain();
      wait();
    });
  }

  ServerCore& core_;
  boost::asio::signal_set set_;
};

class ServerCore::DrainTimer final : public hotline::detail::Timer {
 public:
  explicit DrainTimer(ServerCore& core) : core_(core) {}

 private:
  void expired() noexcept override {
    core_.loops_[0].log(LogLevel::warning, [] {
      return std::string("the drain took too long: what is left is cut off");
    });
    core_.stop();
  }
  ServerCore& core_;
};

ServerCore::ServerCore(ServerOptions options)
    : site_(std::move(options)),
      loops_(std::clamp(site_.options.threads, 1u, most_threads), loop_options(site_.options)),
      drain_timer_(std::make_unique<DrainTimer>(*this)) {
  for (auto& loop : loops_) workers_.push_back(std::make_unique<Worker>(site_, *loop));
}

ServerCore::~ServerCore() {
  for (auto& worker : workers_) worker->close();
  end_->tell();
}

void ServerCore::handle(std::string_view pattern, Handler handler) {
  if (running_) throw Error(Fault::bad_option, "the server is running: its routes are fixed");
  site_.router.add(pattern, std::move(handler));
}

void ServerCore::use(Middleware middleware) {
  if (running_) throw Error(Fault::bad_option, "the server is running: its middleware is fixed");
  site_.router.use(std::move(middleware));
}

void ServerCore::check_options() const {
  const auto& options = site_.options;
  const auto demand = [](bool good, const char* sentence) {
    if (!good) throw Error(Fault::bad_option, sentence);
  };
  demand(options.threads > 0 && options.threads <= most_threads, "threads: from 1 to 1024");
  demand(options.header_bytes > 0, "header_bytes: at least 1");
  demand(options.header_count > 0, "header_count: at least 1");
  check_time(options.head_timeout, "head_timeout");
  demand(options.body_limit > 0, "body_limit: at least 1");
  check_time(options.body_timeout, "body_timeout");
  demand(options.body_rate > 0, "body_rate: at least 1");
  check_time(options.idle_timeout, "idle_timeout");
  demand(options.max_connections > 0, "max_connections: at least 1");
  demand(options.max_connections_per_address > 0, "max_connections_per_address: at least 1");
  demand(options.connection_rate > 0, "connection_rate: at least 1");
  demand(options.connection_burst > 0, "connection_burst: at least 1");
  const TrustedPeers trusted{options.trusted_proxies};  // throws
  demand(!options.proxy_protocol || !options.trusted_proxies.empty(),
         "proxy_protocol: trusted_proxies must say from whom");
  demand(
      options.tls.enabled() || (options.tls.client_ca_file.empty() && options.tls.crl_file.empty()),
      "client_ca_file: certificates must say what to show");
  demand(options.retry_after.count() >= 0 && options.retry_after <= longest_time,
         "retry_after: from 0 to 365 days");
  check_time(options.drain_timeout, "drain_timeout");
  demand(options.drain_jitter.count() >= 0 && options.drain_jitter < options.drain_timeout,
         "drain_jitter: from 0 to below drain_timeout");
}

void ServerCore::listen() {
  if (!listeners_.empty()) return;
  check_options();
  site_.prepare_tls();
  raise_descriptor_limit();
  // Before anybody learns the port: who starts a server may tell it to end as soon as it is known.
  auto signals = site_.options.handle_signals ? std::make_unique<Signals>(*this) : nullptr;
  const auto accepted = [this](Loop& loop, StreamPointer stream, const Listener& by) {
    serve(loop, std::move(stream), by.address());
  };
  if (site_.options.listen.empty()) {
    const auto address = Address::parse(site_.options.address, site_.options.port);
    if (!address) {
      throw Error(Fault::bad_option,
                  "address: \"" + escaped(site_.options.address) + "\" is not an IP address");
    }
    listeners_.push_back(std::make_unique<Listener>(loops_, *address, accepted));
  } else {
    listeners_ = listen_on(loops_, site_.options.listen, accepted);
  }
  for (const auto& listener : listeners_) {
    if (port_ == 0) port_ = listener->port();
    addresses_.push_back(listener->name());
  }
  signals_ = std::move(signals);
}

void ServerCore::serve(Loop& loop, StreamPointer stream, const Address& listener) {
  worker(loop).serve(std::move(stream), site_.rules(listener));
}

void ServerCore::serve(Loop& loop, StreamPointer stream) {
  site_.prepare_tls();
  serve(loop, std::move(stream), Address::parse(site_.options.address, 0).value_or(Address{}));
}

void ServerCore::run() {
  if (stopping_) return;
  listen();
  running_ = true;
  for (auto& listener : listeners_) {
    for (std::size_t i = 0; i < loops_.size(); ++i) listener->start(i);
  }
  try {
    loops_.run();
  } catch (...) {  // out of what a program runs on the loops beside its handlers
    end_run();
    throw;
  }
  end_run();
}

void ServerCore::end_run() noexcept {
  for (auto& worker : workers_) worker->close();
  // What outlives its handler: connections that are closing, or still sending.
  for (auto& loop : loops_) loop->abandon_members();
  drain_timer_->cancel();
  listeners_.clear();
  signals_.reset();
  end_->tell();
}

void ServerCore::drain() {
  if (draining_.exchange(true)) return;
  if (site_.options.observer) site_.options.observer->drain_began();
  not_drained_ = loops_.size();
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    loops_[i].post([this, i] { drain_loop(i); });
  }
}

void ServerCore::drain_loop(std::size_t index) {
  auto& loop = loops_[index];
  if (index == 0) drain_timer_->set(loop, loop.now() + site_.options.drain_timeout);
  for (auto& listener : listeners_) listener->drain(index);
  loop.drain(site_.options.drain_jitter);
  loop.when_empty([this] { drained_loop(); });
}

void ServerCore::drained_loop() {
  if (--not_drained_ == 0) stop();
}

void ServerCore::stop() {
  if (stopping_.exchange(true)) return;
  // Each loop's connections end on its own thread; the group ends when its first loop does.
  not_closed_ = loops_.size();
  for (std::size_t i = 0; i < loops_.size(); ++i) {
    loops_[i].post([this, i] {
      for (auto& listener : listeners_) listener->drain(i);
      workers_[i]->close();
      if (--not_closed_ == 0) loops_.stop();
    });
  }
}

std::size_t ServerCore::backlog() noexcept {
  std::size_t sum = 0;
  for (auto& loop : loops_) sum += loop->cork().backlog();
  return sum;
}

void ServerCore::on_each_loop(std::function<void()> function) {
  const auto shared = std::make_shared<const std::function<void()>>(std::move(function));
  for (auto& loop : loops_) {
    loop->post([shared] { (*shared)(); });
  }
}

Worker& ServerCore::worker(Loop& loop) {
  for (const auto& worker : workers_) {
    if (&worker->loop() == &loop) return *worker;
  }
  return *workers_.emplace_back(std::make_unique<Worker>(site_, loop));
}

}  // namespace hotline::http
