#include "tools/page.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/header_tokens.h"
#include "tools/page_pieces.h"

namespace hotline::tools {
namespace {

// The markers stand in index.html, once each.
void fill(std::string& document, std::string_view marker, std::string_view piece) {
  document.replace(document.find(marker), marker.size(), piece);
}

std::string assemble() {
  std::string document{page_html};
  fill(document, "/* style.css */", page_style);
  fill(document, "/* scripts */", page_script);
  return document;
}

void add_fields(http::Response& response, const std::string& tag) {
  response.add("ETag", tag);
  response.add("Cache-Control", "no-cache");
  // A page may call any server; all else that it could load is here already.
  response.add("Content-Security-Policy",
               "default-src 'none'; script-src 'sha256-" + std::string(page_script_sha256) +
                   "'; style-src 'sha256-" + std::string(page_style_sha256) +
                   "'; img-src data:; connect-src ws: wss:; base-uri 'none'; form-action 'none'; "
                   "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types "
                   "'none'");
  response.add("X-Content-Type-Options", "nosniff");
  response.add("Referrer-Policy", "no-referrer");
  // A page that shares its process with nobody gets a clock of 5 us in place of one of 100 us.
  response.add("Cross-Origin-Opener-Policy", "same-origin");
  response.add("Cross-Origin-Embedder-Policy", "require-corp");
  response.add("Cross-Origin-Resource-Policy", "same-origin");
}

bool has_tag(const http::Request& request, const std::string& tag) {
  return request.header_has_token("If-None-Match", tag) ||
         request.header_has_token("If-None-Match", "W/" + tag) ||
         request.header("If-None-Match") == "*";
}

struct Answers {
  std::string tag = '"' + std::string(page_version) + '"';
  http::Response whole{http::Status::ok, assemble(), "text/html; charset=utf-8"};
  http::Response not_modified{http::Status::not_modified};

  Answers() {
    add_fields(whole, tag);
    add_fields(not_modified, tag);
  }
};

// What a browser, or a proxy in front of us, says in a handshake that is no secret.
bool may_be_shown(std::string_view name) {
  static constexpr std::string_view harmless[] = {"Accept",
                                                  "Accept-Encoding",
                                                  "Accept-Language",
                                                  "Cache-Control",
                                                  "Connection",
                                                  "DNT",
                                                  "Forwarded",
                                                  "Host",
                                                  "Origin",
                                                  "Pragma",
                                                  "Priority",
                                                  "Sec-Fetch-Dest",
                                                  "Sec-Fetch-Mode",
                                                  "Sec-Fetch-Site",
                                                  "Sec-GPC",
                                                  "Sec-WebSocket-Extensions",
                                                  "Sec-WebSocket-Key",
                                                  "Sec-WebSocket-Protocol",
                                                  "Sec-WebSocket-Version",
                                                  "Upgrade",
                                                  "User-Agent",
                                                  "Via",
                                                  "X-Forwarded-For",
                                                  "X-Forwarded-Host",
                                                  "X-Forwarded-Proto"};
  for (const auto known : harmless) {
    if (equals_ignoring_case(name, known)) return true;
  }
  return false;
}

bool is_set_cookie(std::string_view name) { return equals_ignoring_case(name, "Set-Cookie"); }

// Of a head that has passed the request rules, or is ours: lines that end in CRLF.
template <typename Hides>
std::string without_secrets(std::string_view head, Hides hides) {
  std::string text;
  for (bool first = true; !head.empty(); first = false) {
    const auto line = head.substr(0, head.find("\r\n"));
    const auto colon = line.find(':');
    if (first || colon == std::string_view::npos || !hides(line.substr(0, colon))) {
      text += line;
    } else {
      text.append(line, 0, colon).append(": [");
      text += std::to_string(trimmed(line.substr(colon + 1)).size()) + " bytes not shown]";
    }
    text += "\r\n";
    head.remove_prefix(std::min(line.size() + 2, head.size()));
  }
  return text;
}

void append_json(std::string& json, std::string_view text) {
  json += '"';
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      json.append({'\\', c});
    } else if (c == '\r') {
      json += "\\r";
    } else if (c == '\n') {
      json += "\\n";
    } else if (byte < 0x20 || byte > 0x7e) {
      json += "\\u00";
      json += "0123456789abcdef"[byte >> 4];
      json += "0123456789abcdef"[byte & 15];
    } else {
      json += c;
    }
  }
  json += '"';
}

}  // namespace

std::string handshake_message(std::string_view request, std::string_view response) {
  std::string json{"{\"request\": "};
  append_json(json, without_secrets(request, [](auto name) { return !may_be_shown(name); }));
  json += ", \"response\": ";
  append_json(json, without_secrets(response, is_set_cookie));
  return json += '}';
}

http::Handler page() {
  const auto answers = std::make_shared<const Answers>();
  // The server keeps its handlers until their last coroutine has ended.
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
  return [answers](http::Exchange exchange) -> Task<> {
    const bool known = has_tag(exchange.request(), answers->tag);
    const auto& answer = known ? answers->not_modified : answers->whole;
    co_await exchange.respond(answer);
  };
}

http::Handler showing_handshake(const websocket::Upgrader& upgrader,
                                std::function<Task<>(websocket::Connection)> talk) {
  // The server keeps its handlers until their last coroutine has ended.
  // NOLINTNEXTLINE(cppcoreguidelines-avoid-capturing-lambda-coroutines)
  const auto show = [upgrader, talk](http::Exchange exchange) -> Task<> {
    const std::string request{exchange.request().head()};
    std::string response;
    auto connection = co_await upgrader.upgrade(std::move(exchange), &response);
    if (!connection) co_return;
    if (connection->subprotocol() == handshake_subprotocol) {
      const auto message = handshake_message(request, response);
      co_await connection->write(message);
    }
    co_await talk(std::move(*connection));
  };
  // A client that does not ask for it gets no second coroutine, which would stay while it is
  // connected.
  return [show, plain = upgrader.handler(std::move(talk))](http::Exchange exchange) {
    const bool asked =
        exchange.request().header_has_token("Sec-WebSocket-Protocol", handshake_subprotocol);
    return asked ? show(std::move(exchange)) : plain(std::move(exchange));
  };
}

}  // namespace hotline::tools
