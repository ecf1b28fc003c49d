#include "http/proxy.h"

#include <hotline/base/error.h>

#include "http/proxy_talk.h"
#include "net/loop.h"

namespace hotline::http {

std::string Proxy::name() const {
  static constexpr const char* schemes[] = {"http://", "https://", "socks5://"};
  return schemes[static_cast<std::size_t>(kind)] + authority(host, port);
}

Task<StreamPointer> connect_through(Proxy proxy, std::string host, std::uint16_t port,
                                    std::shared_ptr<const TlsClient> /*tls*/,
                                    ConnectTimings* timings) {
  auto& loop = Loop::require();
  auto stream = co_await connect_tcp(proxy.host, proxy.port, timings);
  const auto connected = loop.now();
  if (proxy.kind == Proxy::Kind::https) {
    throw Error(Fault::bad_option, "https proxies are not spoken to yet");
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
