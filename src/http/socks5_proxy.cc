// SOCKS5 (RFC 1928), with user and password (RFC 1929).
#include <array>

#include <hotline/base/error.h>
#include <hotline/http/proxy_refused.h>
#include <hotline/net/address.h>

#include "http/proxy_talk.h"

namespace hotline::http {
namespace {

constexpr char version = 5;
constexpr char no_authentication = 0;
constexpr char by_password = 2;
constexpr char none_acceptable = '\xff';
constexpr char password_version = 1;
constexpr char connect_command = 1;
constexpr char ipv4 = 1;
constexpr char domain = 3;
constexpr char ipv6 = 4;

const char* sentence(int reply) {
  switch (reply) {
    case 1: return "it failed";
    case 2: return "its rules do not allow the connection";
    case 3: return "the network cannot be reached from there";
    case 4: return "the host cannot be reached from there";
    case 5: return "the host refused the connection";
    case 6: return "the host is too far away: TTL expired";
    case 7: return "it does not know how to connect";
    case 8: return "it does not know this kind of address";
    default: return nullptr;
  }
}

// A length in one byte, and the text.
std::string counted(const std::string& text, const char* what) {
  if (text.empty() || text.size() > 255) {
    throw Error(Fault::bad_option, std::string(what) + ": SOCKS5 knows 1 to 255 bytes of it, not " +
                                       std::to_string(text.size()));
  }
  return static_cast<char>(text.size()) + text;
}

Task<> authenticate(ProxyTalk& talk, std::string request) {
  co_await talk.send(std::move(request));
  std::array<char, 2> answer;
  co_await talk.receive(answer);
  if (answer[0] != password_version) talk.fail("it does not answer in SOCKS5");
  if (answer[1] != 0) {
    throw ProxyRefused(talk.name() + " (it does not accept this user and password)", 0xff, {}, {});
  }
}

std::string connect_request(const std::string& host, std::uint16_t port) {
  std::string request{version, connect_command, 0};
  if (const auto address = Address::parse(host, port)) {
    request += address->is_ipv6() ? ipv6 : ipv4;
    request += address->bytes();
  } else {
    request += domain;
    request += counted(host, "host");
  }
  request += static_cast<char>(port >> 8);
  request += static_cast<char>(port & 0xff);
  return request;
}

}  // namespace

Task<> ask_socks5_proxy(ProxyTalk& talk, const Proxy& proxy, std::string host, std::uint16_t port) {
  const auto request = connect_request(host, port);
  const bool named = !proxy.user.empty() || !proxy.password.empty();
  std::string credentials;
  if (named) {
    credentials = password_version + counted(proxy.user, "the proxy's user") +
                  counted(proxy.password, "the proxy's password");
  }
  // Apart from the await: g++ 12 does not compile it there.
  std::string greeting{version, 1, no_authentication};
  if (named) greeting = {version, 2, no_authentication, by_password};
  co_await talk.send(std::move(greeting));
  std::array<char, 2> method;
  co_await talk.receive(method);
  if (method[0] != version) talk.fail("it does not answer in SOCKS5");
  if (method[1] == none_acceptable) {
    const auto* why = named ? " (it accepts neither a user with a password nor nobody)"
                            : " (it wants to know who asks, and no user is given)";
    throw ProxyRefused(talk.name() + why, 0xff, {}, {});
  }
  if (method[1] == by_password && named) {
    co_await authenticate(talk, std::move(credentials));
  } else if (method[1] != no_authentication) {
    talk.fail("it chose a way to authenticate that it was not offered");
  }

  co_await talk.send(request);
  std::array<char, 4> reply;  // version, code, 0, kind of address
  co_await talk.receive(reply);
  if (reply[0] != version) talk.fail("it does not answer in SOCKS5");
  if (const int code = static_cast<unsigned char>(reply[1]); code != 0) {
    const auto* known = sentence(code);
    const auto why = known ? std::string(known) : "its reply is " + std::to_string(code);
    throw ProxyRefused(talk.name() + " for " + authority(host, port) + " (" + why + ")", code, {},
                       {});
  }
  // Where the proxy is bound, which nobody wants to know; and its port.
  std::size_t rest = 2;
  if (reply[3] == ipv4) {
    rest += 4;
  } else if (reply[3] == ipv6) {
    rest += 16;
  } else if (reply[3] == domain) {
    std::array<char, 1> size;
    co_await talk.receive(size);
    rest += static_cast<unsigned char>(size[0]);
  } else {
    talk.fail("its reply has an unknown kind of address");
  }
  std::array<char, 257> ignored;
  const std::span<char> wanted{ignored.data(), rest};
  co_await talk.receive(wanted);
}

}  // namespace hotline::http
