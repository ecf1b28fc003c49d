// From a URL to a stream: TCP or a unix socket, perhaps a proxy, perhaps TLS.
#include "http/proxy.h"
#include "net/loop.h"
#include "websocket/dialer_state.h"

namespace hotline::websocket {

using http::Url;

namespace {

// The same error, which says where it happened.
[[noreturn]] void rethrow_at(const Url& url, const Error& error) {
  std::string_view context{error.what()};
  const auto meaning = ": " + error.code().message();  // what() adds it anew
  if (context.ends_with(meaning)) context.remove_suffix(meaning.size());
  throw Error(error.code(), url.text() + ": " + std::string(context));
}

}  // namespace

SharedTls::SharedTls(const TlsClientOptions& options) : options_(options) {
  if (!options.ca_file.empty() || !options.crl_file.empty() || !options.certificate_file.empty() ||
      !options.key_file.empty()) {
    (void)get();
  }
}

std::shared_ptr<const TlsClient> SharedTls::get() const {
  std::call_once(once_, [this] { client_ = make_tls_client(options_); });
  return client_;
}

Task<StreamPointer> Dialer::State::connect(const Request& request, Progress& progress) const {
  auto& loop = Loop::require();
  if (loop.draining()) throw Cancelled();
  const auto& url = request.url;
  StreamPointer stream;
  if (options_.connect) {
    progress.step = DialStep::connect;
    const auto begin = loop.now();
    stream = co_await connect_by_hook(url);
    told(DialStep::connect, loop.now() - begin);
  } else {
    stream = co_await connect_tcp_or_unix(request, progress);
  }
  if (url.secure) {
    progress.step = DialStep::tls;
    const auto begin = loop.now();
    std::string name = url.socket_path.empty() ? url.host : "localhost";
    try {
      auto tls = (request.foreign ? foreign_tls_ : tls_).get();
      stream = co_await tls_connect(std::move(stream), std::move(tls), std::move(name), url.port);
    } catch (const Error& error) {
      if (error.code() == Fault::cancelled) throw;
      rethrow_at(url, error);
    }
    told(DialStep::tls, loop.now() - begin);
    if (options_.dial_observer && stream->tls()) options_.dial_observer->secured(*stream->tls());
  }
  co_return stream;
}

Task<StreamPointer> Dialer::State::connect_by_hook(const Url& url) const {
  const DialTarget target{url.host_in_zone(), url.port, url.socket_path, url.secure};
  StreamPointer stream = co_await options_.connect(target);
  if (!stream) throw Error(Fault::bad_option, "connect: it supplied no stream");
  co_return stream;
}

Task<StreamPointer> Dialer::State::connect_tcp_or_unix(const Request& request,
                                                       Progress& progress) const {
  auto& loop = Loop::require();
  const auto& url = request.url;
  const bool elsewhere = connect_to_ && !request.foreign;
  const std::string& path = elsewhere ? connect_to_->socket_path : url.socket_path;
  if (!path.empty()) {
    progress.step = DialStep::connect;
    const auto begin = loop.now();
    StreamPointer stream = co_await connect_unix(path);
    told(DialStep::connect, loop.now() - begin);
    co_return stream;
  }
  progress.step = DialStep::name;
  auto& timings = progress.timings = {};
  StreamPointer stream;
  std::optional<http::Proxy> proxy;
  if (!elsewhere) {
    proxy = http::choose_proxy(options_.proxy, url.secure, url.host_in_zone(), url.port);
  }
  if (proxy) {
    std::shared_ptr<const TlsClient> tls;
    if (proxy->kind == http::Proxy::Kind::https) tls = proxy_tls_.get();
    stream = co_await http::connect_through(*proxy, url.host, url.port, std::move(tls), &timings);
  } else {
    std::string host = elsewhere ? connect_to_->host : url.host_in_zone();
    const auto port = elsewhere ? connect_to_->port : url.port;
    stream = co_await connect_tcp(std::move(host), port, &timings);
  }
  told(DialStep::name, timings.name);
  told(DialStep::connect, timings.connect);
  told(DialStep::proxy, timings.proxy);
  co_return stream;
}

}  // namespace hotline::websocket
