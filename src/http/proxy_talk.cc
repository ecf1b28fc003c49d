#include "http/proxy_talk.h"

#include <hotline/base/error.h>

#include "net/stream_wait.h"

namespace hotline::http {

Task<> ProxyTalk::send(std::string bytes) {
  std::span<const char> rest{bytes};
  while (!rest.empty()) {
    const auto transfer = stream_->try_write(rest);
    if (transfer.failed()) throw Error(transfer.code(), "sending to the proxy " + name_);
    rest = rest.subspan(transfer.size);
    if (!transfer.would_block()) continue;
    StreamWait wait{stream_, StreamWait::writable};
    co_await wait;
  }
}

Task<std::size_t> ProxyTalk::receive_some(std::span<char> bytes) {
  for (;;) {
    const auto transfer = stream_->try_read(bytes);
    if (transfer.failed()) throw Error(transfer.code(), "reading from the proxy " + name_);
    if (!transfer.would_block()) co_return transfer.size;
    StreamWait wait{stream_, StreamWait::readable};
    co_await wait;
  }
}

Task<> ProxyTalk::receive(std::span<char> bytes) {
  while (!bytes.empty()) {
    const auto count = co_await receive_some(bytes);
    if (count == 0) fail("it hung up");
    bytes = bytes.subspan(count);
  }
}

void ProxyTalk::fail(const std::string& why) const {
  throw Error(Fault::proxy_failed, name_ + " (" + why + ")");
}

std::string authority(std::string_view host, std::uint16_t port) {
  const bool ipv6 = host.find(':') != std::string_view::npos;
  std::string text{ipv6 ? "[" : ""};
  text += host;
  text += ipv6 ? "]:" : ":";
  return text + std::to_string(port);
}

}  // namespace hotline::http
