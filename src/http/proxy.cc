#include "http/proxy.h"

#include "http/proxy_talk.h"
#include "net/loop.h"
#include "net/tls.h"

namespace hotline::http {

std::string Proxy::name() const {
  static constexpr const char* schemes[] = {"http://", "https://", "socks5://"};
  return schemes[static_cast<std::size_t>(kind)] + authority(host, port);
}

Task<StreamPointer> connect_through(Proxy proxy, std::string host, std::uint16_t port,
                                    std::shared_ptr<const TlsClient> tls, ConnectTimings* timings) {
  auto& loop = Loop::require();
  auto stream = co_await connect_tcp(proxy.host, proxy.port, timings);
  const auto connected = loop.now();
  if (proxy.kind == Proxy::Kind::https) {
    stream = co_await tls_connect(std::move(stream), std::move(tls), proxy.host);
  }
  ProxyTalk talk{std::move(stream), proxy.name()};
  if (proxy.kind == Proxy::Kind::socks5) {
    co_await ask_socks5_proxy(talk, proxy, host, port);
  } else {
    co_await ask_http_proxy(talk, proxy, host, port);
  }
  if (timings) timings->proxy = loop.now() - connected;
  co_return talk.take_stream();
}

}  // namespace hotline::http
