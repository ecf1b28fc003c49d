#include "http/worker.h"

#include <utility>

#include <hotline/base/error.h>
#include <hotline/http/observer.h>

#include "http/forwarded.h"
#include "http/request_builder.h"

namespace hotline::http {
namespace {

// A malformed entry is reported by listen().
TrustedPeers trusted_peers(const ServerOptions& options) {
  try {
    return TrustedPeers{options.trusted_proxies};
  } catch (const Error&) {
    return {};
  }
}

}  // namespace

Site::Site(ServerOptions server_options)
    : options(std::move(server_options)),
      limits{options.header_bytes, options.header_count},
      loopback_rule(true, options.hosts),
      other_rule(false, options.hosts),
      trusted(trusted_peers(options)),
      admission(Admission::make(options, trusted)) {}

void Site::prepare_tls() {
  if (options.tls.enabled() && !tls) tls = std::make_unique<TlsServer>(options.tls);
}

void Site::find_client(Request& request) const {
  if (!trusted.trusts(request.remote_address())) return;
  const auto view = forwarded_view(
      request, {request.remote_address(), request.host(), request.is_secure()}, trusted);
  RequestBuilder::set_client(request, view.client, view.host, view.secure);
}

void Worker::serve(StreamPointer stream, ConnectionRules rules) {
  if (!site_.options.proxy_protocol) return admit(std::move(stream), rules, {}, false);
  if (!site_.trusted.trusts(stream->remote_address())) {
    return refused(*stream, "untrusted", "PROXY protocol is spoken with trusted proxies only");
  }
  if (!site_.admission->expect(*stream)) {
    refused(*stream, "full", "");
    // In clear: who speaks TLS would have to be listened to first.
    if (site_.tls || !site_.admission->send_away(*stream)) return;
    return begin_session(std::move(stream), rules, {}, Status::service_unavailable);
  }
  (new ProxyPreface{*this, std::move(stream), rules})->start();
}

void Worker::admit(StreamPointer stream, ConnectionRules rules, std::string_view received,
                   bool named) {
  switch (site_.admission->admit(*stream, named, loop_.now())) {
    case Admission::Verdict::welcome:
      return begin(std::move(stream), rules, received, std::nullopt);
    case Admission::Verdict::full:
      refused(*stream, "full", "");
      return send_away(std::move(stream), rules, received, Status::service_unavailable);
    case Admission::Verdict::too_many:
      refused(*stream, "too many of one address", "");
      return send_away(std::move(stream), rules, received, Status::too_many_requests);
    case Admission::Verdict::too_fast: return refused(*stream, "too fast from one address", "");
  }
}

void Worker::send_away(StreamPointer stream, ConnectionRules rules, std::string_view received,
                       Status status) {
  if (!site_.admission->send_away(*stream)) return;
  begin(std::move(stream), rules, received, status);
}

void Worker::begin(StreamPointer stream, ConnectionRules rules, std::string_view received,
                   std::optional<Status> answer) {
  if (!site_.tls) return begin_session(std::move(stream), rules, received, answer);
  (new TlsPreface{*this, std::move(stream), rules, answer})->start(received);
}

void Worker::begin_session(StreamPointer stream, ConnectionRules rules, std::string_view received,
                           std::optional<Status> answer) {
  auto* session = new Http1Session{*this, std::move(stream), rules};
  if (!answer) return session->start(received);
  auto text = std::to_string(static_cast<int>(*answer));
  text.append(" ").append(reason_phrase(*answer)).append("\n");
  Response response{*answer, std::move(text)};
  response.add("Retry-After", std::to_string(site_.options.retry_after.count()));
  session->start_refusing(response);
}

void Worker::answer_plain(StreamPointer stream, ConnectionRules rules) {
  const Response response{Status::bad_request, "this port speaks TLS: use https:// or wss://\n"};
  (new Http1Session{*this, std::move(stream), rules})->start_refusing(response);
}

// A line each would be more than the connection was worth.
void Worker::refused(const Stream& stream, std::string_view reason,
                     std::string_view detail) noexcept {
  using namespace std::chrono_literals;
  if (site_.options.observer) {
    site_.options.observer->connection_refused(reason, stream.remote_address());
  }
  const bool quiet = loop_.now() < quiet_until_;
  if (!quiet) quiet_until_ = loop_.now() + 10s;
  loop_.log(quiet ? LogLevel::debug : LogLevel::warning, [&] {
    auto line = "turned away a connection from " + stream.remote_address().to_string() + ": ";
    line += reason;
    if (!detail.empty()) line.append(" (").append(detail).append(")");
    return line;
  });
}

void Worker::close() noexcept {
  Turn turn{loop_};
  while (!prefaces_.empty()) delete &prefaces_.front();
  while (!handshakes_.empty()) delete &handshakes_.front();
  // The sessions first: a handler that is cancelled then finds nobody to answer any more.
  while (!sessions_.empty()) delete &sessions_.front();
  while (!runs_.empty()) delete &runs_.front();
}

}  // namespace hotline::http
