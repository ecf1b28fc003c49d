// HTTP CONNECT (RFC 9110 9.3.6), in the clear or within TLS to the proxy.
#include <algorithm>
#include <chrono>
#include <string_view>

#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/dynamic_body.hpp>
#include <boost/beast/http/parser.hpp>

#include <hotline/base/error.h>
#include <hotline/http/proxy_refused.h>
#include <hotline/net/deadline.h>

#include "base/base64.h"
#include "http/proxy_talk.h"

namespace hotline::http {
namespace {

namespace beast = boost::beast;
using Parser = beast::http::response_parser<beast::http::dynamic_body>;

constexpr std::size_t longest_head = 16 * 1024;
constexpr std::size_t most_of_body = 1024;
constexpr int most_interim = 8;
constexpr std::chrono::seconds patience_for_body{2};

// The head of a response, and not a byte more: never asks for more bytes than the end of the head
// still lacks.
Task<std::string> receive_head(ProxyTalk& talk) {
  static constexpr std::string_view end = "\r\n\r\n";
  std::string head;
  std::size_t matched = 0;
  while (matched < end.size()) {
    char bytes[end.size()];
    const std::span<char> lacking{bytes, end.size() - matched};
    co_await talk.receive(lacking);
    for (const char byte : lacking) {
      if (byte == '\n' && matched % 2 == 0) talk.fail("a line feed without a carriage return");
      matched = byte == end[matched] ? matched + 1 : byte == '\r' ? 1 : 0;
    }
    head.append(bytes, lacking.size());
    if (head.size() > longest_head) talk.fail("the head of its answer is too long");
  }
  co_return head;
}

void parse(const ProxyTalk& talk, Parser& parser, std::string_view bytes) {
  beast::error_code error;
  parser.put(boost::asio::buffer(bytes), error);
  if (error || !parser.is_header_done()) talk.fail("it does not answer in HTTP");
}

Task<> receive_body(ProxyTalk& talk, Parser& parser) {
  std::string unparsed;
  parser.eager(true);
  while (!parser.is_done() && parser.get().body().size() < most_of_body) {
    char bytes[most_of_body];
    const auto count = co_await talk.receive_some(bytes);
    if (count == 0) co_return;
    unparsed.append(bytes, count);
    beast::error_code error;
    unparsed.erase(0, parser.put(boost::asio::buffer(unparsed), error));
    if (error && error != beast::http::error::need_more) co_return;
    if (unparsed.size() > longest_head) co_return;
  }
}

[[noreturn]] void refuse(const ProxyTalk& talk, const std::string& target, const Parser& parser) {
  const auto& answer = parser.get();
  std::string authentication;
  const auto [begin, end] = answer.equal_range("Proxy-Authenticate");
  for (auto field = begin; field != end; ++field) {
    authentication += (authentication.empty() ? "" : ", ") + std::string(field->value());
  }
  auto context = talk.name() + " for " + target + " (" + std::to_string(answer.result_int());
  if (!answer.reason().empty()) context += " " + escaped(answer.reason());
  if (!authentication.empty()) context += "; it wants " + escaped(authentication);
  context += ")";
  auto body = beast::buffers_to_string(answer.body().data());
  body.resize(std::min(body.size(), most_of_body));
  throw ProxyRefused(context, static_cast<int>(answer.result_int()), std::move(authentication),
                     std::move(body));
}

}  // namespace

Task<> ask_http_proxy(ProxyTalk& talk, const Proxy& proxy, std::string host, std::uint16_t port) {
  const auto forbidden = [](char c) {
    return c <= ' ' || c == 0x7f ||
           std::string_view{"/?#@\\\"<>"}.find(c) != std::string_view::npos;
  };
  if (host.empty() || std::ranges::any_of(host, forbidden)) {
    throw Error(Fault::bad_option, "\"" + escaped(host) + "\" is no host's name");
  }
  const auto target = authority(host, port);
  auto request = "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n";
  if (!proxy.user.empty() || !proxy.password.empty()) {
    const auto credentials = base64(proxy.user + ":" + proxy.password);
    request += "Proxy-Authorization: Basic " + credentials + "\r\n";
  }
  request += "\r\n";
  co_await talk.send(std::move(request));

  for (int interim = 0; interim < most_interim; ++interim) {
    const auto head = co_await receive_head(talk);
    Parser parser;
    parser.body_limit(boost::none);
    parse(talk, parser, head);
    const auto status = parser.get().result_int();
    if (status >= 200 && status < 300) co_return;
    if (status < 200 && status != 101) continue;
    try {
      auto limited = deadline(patience_for_body, receive_body(talk, parser));
      co_await limited;
    } catch (const Error&) {
      // What has come of it must do.
    }
    refuse(talk, target, parser);
  }
  talk.fail("it has nothing but interim answers");
}

}  // namespace hotline::http
