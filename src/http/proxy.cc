#include "http/proxy.h"

#include <hotline/base/error.h>

#include "http/proxy_talk.h"
#include "net/loop.h"
#include "net/tls.h"

namespace hotline::http {

std::string Proxy::name() const {
  static constexpr const char* schemes[] = {"http://", "https://", "socks5://"};
  return schemes[static_cast<std::size_t>(kind)] + authority(host, port);
}

namespace {

Task<StreamPointer> reach(const Proxy& proxy, std::shared_ptr<const TlsClient> tls,
                          ConnectTimings* timings) {
  auto stream = co_await connect_tcp(proxy.host, proxy.port, timings);
  if (proxy.kind == Proxy::Kind::https) {
    stream = co_await tls_connect(std::move(stream), std::move(tls), proxy.host, proxy.port);
  }
  co_return stream;
}

// The same error, which says that it is the proxy's and not the target's.
Error of_proxy(const Proxy& proxy, const Error& error) {
  std::string_view context = error.what();
  const auto known = ": " + error.code().message();
  if (context.ends_with(known)) context.remove_suffix(known.size());
  return {error.code(), "the proxy " + proxy.name() + ": " + std::string(context)};
}

}  // namespace

Task<StreamPointer> connect_through(Proxy proxy, std::string host, std::uint16_t port,
                                    std::shared_ptr<const TlsClient> tls, ConnectTimings* timings) {
  auto& loop = Loop::require();
  const auto begun = loop.now();
  StreamPointer stream;
  try {
    stream = co_await reach(proxy, std::move(tls), timings);
  } catch (const Cancelled&) {
    throw;
  } catch (const Error& error) {
    throw of_proxy(proxy, error);
  }
  ProxyTalk talk{std::move(stream), proxy.name()};
  if (proxy.kind == Proxy::Kind::socks5) {
    co_await ask_socks5_proxy(talk, proxy, host, port);
  } else {
    co_await ask_http_proxy(talk, proxy, host, port);
  }
  if (timings) {
    timings->proxy = loop.now() - begun - timings->name.value_or(Duration{}) -
                     timings->connect.value_or(Duration{});
  }
  co_return talk.take_stream();
}

}  // namespace hotline::http
