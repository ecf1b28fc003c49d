#include <algorithm>
#include <limits>
#include <utility>

#include "tools/option_kinds.h"
#include "tools/option_table.h"

namespace hotline::tools {
namespace {

using namespace option_kinds;
using std::chrono::milliseconds;

bool is_token(std::string_view text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
  };
  return !text.empty() && std::all_of(text.begin(), text.end(), good);
}
bool has_no_control(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](unsigned char c) { return (c < 0x20 && c != '\t') || c == 0x7f; });
}
bool good_token(const std::string& text) { return is_token(text); }
bool good_line(const std::string& text) { return !text.empty() && has_no_control(text); }
bool good_user(const std::string& text) {
  return text.find(':') != std::string::npos && has_no_control(text);
}
bool not_empty(const std::string& text) { return !text.empty(); }

void set_headers(CallOptions& options, Values values) {
  for (const auto& value : values) {
    const auto colon = value.find(':');
    const auto name = value.substr(0, colon);
    if (colon == std::string::npos || !is_token(name) || !has_no_control(value)) {
      reject(value, "a header, such as \"Authorization: Bearer 123\"");
    }
    const auto begin = value.find_first_not_of(" \t", colon + 1);
    const auto end = value.find_last_not_of(" \t");
    options.headers.emplace_back(
        name, begin == std::string::npos ? "" : value.substr(begin, end + 1 - begin));
  }
}

void set_pings(CallOptions& options, Values values) {
  const auto& value = values.back();
  CallOptions::Pings pings;
  if (const auto count = parse_count(value); count && *count > 0) {
    pings.count = *count;
  } else if (const auto time = parse_duration(value);
             time && *time > milliseconds(0) && *time <= std::chrono::hours(24)) {
    pings.interval = *time;
  } else {
    reject(value, "how many pings (such as 5) or the time between two (such as 200ms)");
  }
  options.pings = pings;
}

constexpr std::string_view request = "Request";
constexpr std::string_view messages = "Messages";
constexpr std::string_view way = "Connection; times are such as 250ms, 30s, 1m30s, 2h or 1d";
constexpr std::string_view tls = "TLS (wss)";
constexpr std::string_view hidden = "";

// clang-format off
std::vector<BasicOption<CallOptions>> make_table() {
  using O = CallOptions;
  constexpr auto any = std::numeric_limits<std::uint64_t>::max();
  return {
    {"header", "HEADER...", request, "Sent with the request: \"Name: value\"", Form::text, true, set_headers},
    {"origin", "ORIGIN", request, "The page one would come from: https://example.org", Form::text, false,
     words("an origin", good_line, [](O& o) -> auto& { return o.origin; })},
    {"subprotocol", "NAME...", request, "Offered, the most wanted first", Form::text, true,
     words("a subprotocol's name", good_token, [](O& o) -> auto& { return o.subprotocols; })},
    {"user", "NAME:PASSWORD", request, "Basic authentication; or in the URL: ws://name:password@host/", Form::text, false,
     words("NAME:PASSWORD", good_user, [](O& o) -> auto& { return o.user; })},

    {"binary", "", messages, "Lines are sent as binary messages", Form::truth, false,
     truth([](O& o) -> auto& { return o.binary; })},
    {"hex", "", messages, "Hexadecimal: lines are binary messages, written so; so is what comes", Form::truth, false,
     truth([](O& o) -> auto& { return o.hex; })},
    {"json", "", messages, "Messages that are JSON are indented, and coloured on a terminal", Form::truth, false,
     truth([](O& o) -> auto& { return o.json; })},
    {"once", "", messages, "Ends when a message has come: --count 1", Form::truth, false,
     truth([](O& o) -> auto& { return o.once; })},
    {"count", "N", messages, "Ends when so many messages have come, not at the input's end", Form::number, false,
     number(1, any, [](O& o) -> auto& { return o.count; })},
    {"linger", "TIME", messages, "After the input's end, until nothing has come for that long [0s]", Form::text, false,
     duration(milliseconds(0), [](O& o) -> auto& { return o.linger; })},
    {"output", "FILE", messages, "Messages are appended there", Form::text, false,
     words("the name of a file", not_empty, [](O& o) -> auto& { return o.output; })},
    {"message-limit", "SIZE", messages, "Largest message taken, longest line sent; units k, M, G [64M]", Form::size, false,
     size([](O& o) -> auto& { return o.message_limit; })},
    {"ping", "N|TIME", messages, "Pings in place of talking: N a second apart, or for ever, TIME apart", Form::text, false,
     set_pings},

    {"connect-to", "ADDRESS", way, "HOST:PORT or unix:PATH, in place of what the URL names", Form::text, false,
     words("HOST:PORT or unix:PATH", good_line, [](O& o) -> auto& { return o.connect_to; })},
    {"proxy", "URL", way, "http://, https:// or socks5://HOST:PORT, or none [the environment's]", Form::text, false,
     words("a proxy's URL, or none", good_line, [](O& o) -> auto& { return o.proxy; })},
    {"timeout", "TIME", way, "Until the connection stands [30s]", Form::text, false,
     duration(milliseconds(1), [](O& o) -> auto& { return o.timeout; })},
    {"reconnect", "", way, "Dials again when the connection is lost", Form::truth, false,
     truth([](O& o) -> auto& { return o.reconnect; })},

    {"ca", "FILE", tls, "Whom to believe, in place of the system's authorities (PEM)", Form::text, false,
     words("the name of a file", not_empty, [](O& o) -> auto& { return o.ca; })},
    {"cert", "FILE", tls, "Our own certificate (PEM)", Form::text, false,
     words("the name of a file", not_empty, [](O& o) -> auto& { return o.certificate; })},
    {"key", "FILE", tls, "Its key [in the same file]", Form::text, false,
     words("the name of a file", not_empty, [](O& o) -> auto& { return o.key; })},
    {"insecure", "", tls, "Believes any certificate: whoever is on the line can read and change all", Form::truth, false,
     truth([](O& o) -> auto& { return o.insecure; })},

    {"verbose", "", "Telling", "Both handshakes, control frames, times and the certificate, on stderr", Form::truth, false,
     truth([](O& o) -> auto& { return o.verbose; })},
    {"autobahn", "URL", hidden, "Runs the cases of the Autobahn Testsuite's fuzzing server", Form::text, false,
     words("a URL", good_line, [](O& o) -> auto& { return o.autobahn; })},
  };
}
// clang-format on

}  // namespace

const std::vector<BasicOption<CallOptions>>& call_options() {
  static const auto table = make_table();
  return table;
}

}  // namespace hotline::tools
