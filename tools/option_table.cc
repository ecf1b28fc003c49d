#include "tools/option_table.h"

#include <algorithm>
#include <limits>
#include <utility>

#include "tools/option_kinds.h"
#include "tools/units.h"

namespace hotline::tools {
namespace {

using namespace option_kinds;

bool good_endpoint(const std::string& text) { return parse_endpoint(text).has_value(); }
bool good_place(const std::string& text) {
  if (text == "systemd") return true;
  return text.starts_with("unix:") ? text.size() > 5 : good_endpoint(text);
}
bool good_metrics_place(const std::string& text) { return text == "off" || good_endpoint(text); }
// As it stands in Host, without the port.
bool good_host(const std::string& text) {
  const auto stands_in_names = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '.' || c == '_';
  };
  return !text.empty() && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), stands_in_names);
}
bool not_empty(const std::string& text) { return !text.empty(); }

constexpr std::string_view listening = "Listening";
constexpr std::string_view limits = "Limits";
constexpr std::string_view times = "Times, such as 250ms, 30s, 1m30s, 2h or 1d";
constexpr std::string_view tls = "TLS (all listeners, then)";
constexpr std::string_view proxies = "Behind a proxy";
constexpr std::string_view telling = "Logs and figures";

using std::chrono::milliseconds;

// clang-format off
std::vector<Option> make_table() {
  constexpr auto any = std::numeric_limits<std::uint64_t>::max();
  constexpr auto most_32 = std::numeric_limits<std::uint32_t>::max();
  return {
    {"listen", "ADDRESS...", listening, "HOST:PORT (0: a free one), unix:PATH or systemd [127.0.0.1:8080]",
     Form::text, true,
     words("HOST:PORT with an IP address (IPv6 in brackets) or localhost, unix:PATH, or systemd",
           good_place, [](ServeOptions& o) -> auto& { return o.server.listen; })},
    {"threads", "N", listening, "Loops, each with a thread [1]", Form::number, false,
     number(1, 1024, [](ServeOptions& o) -> auto& { return o.server.threads; })},
    {"host", "NAME...", listening, "Answered to in Host besides localhost and IP addresses",
     Form::text, true,
     words("a host's name, without scheme and port", good_host, [](ServeOptions& o) -> auto& { return o.server.hosts; })},
    {"origin", "PATTERN...", listening, "Whose pages may connect, too: https://*.example.org, or any",
     Form::text, true,
     words("an origin", not_empty, [](ServeOptions& o) -> auto& { return o.upgrader.origins; })},
    {"static", "DIR", listening, "A directory whose files are served below /", Form::text, false,
     words("a directory", not_empty, [](ServeOptions& o) -> auto& { return o.static_directory; })},

    {"message-limit", "SIZE", limits, "Largest message; units k, M, G; beyond: 1009 [1M]", Form::size, false,
     size([](ServeOptions& o) -> auto& { return o.upgrader.limits.message_size; })},
    {"fragment-limit", "N", limits, "Most frames of one message; beyond: 1008 [4096]",
     Form::number, false,
     number(1, most_32, [](ServeOptions& o) -> auto& { return o.upgrader.limits.fragments; })},
    {"max-connections", "N", limits, "In all; beyond: 503 [100000]",
     Form::number, false,
     number(1, any, [](ServeOptions& o) -> auto& { return o.server.max_connections; })},
    {"max-connections-per-address", "N", limits, "Of one IPv4 address or IPv6 /64; beyond: 429 [1000]", Form::number, false,
     number(1, any, [](ServeOptions& o) -> auto& { return o.server.max_connections_per_address; })},
    {"connection-rate", "N", limits, "New ones of such a client a second; beyond: closed [100]", Form::number, false,
     number(1, most_32, [](ServeOptions& o) -> auto& { return o.server.connection_rate; })},
    {"connection-burst", "N", limits, "How many may come at once on top of that [1000]",
     Form::number, false,
     number(1, most_32, [](ServeOptions& o) -> auto& { return o.server.connection_burst; })},

    {"handshake-timeout", "TIME", times, "For the head of a request to come whole; beyond: 408 [10s]",
     Form::text, false,
     duration(milliseconds(1), [](ServeOptions& o) -> auto& { return o.server.head_timeout; })},
    {"http-idle-timeout", "TIME", times, "Without a request, or nobody takes its answer; beyond: closed [1m]",
     Form::text, false,
     duration(milliseconds(1), [](ServeOptions& o) -> auto& { return o.server.idle_timeout; })},
    {"idle-timeout", "TIME", times, "Of a WebSocket without messages; beyond: 1001 [1d]",
     Form::text, false,
     duration(milliseconds(1), [](ServeOptions& o) -> auto& { return o.upgrader.limits.idle_timeout; })},
    {"ping-interval", "TIME", times, "Silence after which a ping is sent [20s]", Form::text, false,
     duration(milliseconds(1), [](ServeOptions& o) -> auto& { return o.upgrader.limits.ping_interval; })},
    {"drain-timeout", "TIME", times, "From the first signal until what is left is cut off [10s]", Form::text, false,
     duration(milliseconds(1), [](ServeOptions& o) -> auto& { return o.server.drain_timeout; })},
    {"drain-jitter", "TIME", times, "Over which a drain spreads its goodbyes, 1001 [0s]",
     Form::text, false,
     duration(milliseconds(0), [](ServeOptions& o) -> auto& { return o.server.drain_jitter; })},

    {"tls-cert", "FILE...", tls, "A certificate and those that signed it, PEM; by name (SNI)", Form::text, true,
     words("a file", not_empty, [](ServeOptions& o) -> auto& { return o.tls_certificates; })},
    {"tls-key", "FILE...", tls, "Its key, PEM; as many, in the same order", Form::text, true,
     words("a file", not_empty, [](ServeOptions& o) -> auto& { return o.tls_keys; })},
    {"tls-client-ca", "FILE", tls, "Whose certificates clients must show (mutual TLS), PEM", Form::text, false,
     words("a file", not_empty, [](ServeOptions& o) -> auto& { return o.server.tls.client_ca_file; })},
    {"crl", "FILE", tls, "Clients' certificates that are revoked, PEM", Form::text, false,
     words("a file", not_empty, [](ServeOptions& o) -> auto& { return o.server.tls.crl_file; })},
    {"tls-self-signed", "", tls, "For trying out: a certificate of its own, for localhost and --host",
     Form::truth, false,
     truth([](ServeOptions& o) -> auto& { return o.server.tls.self_signed; })},

    {"trusted-proxy", "CIDR...", proxies, "Whose Forwarded and X-Forwarded-* are believed; or unix",
     Form::text, true,
     words("an address, a network or unix", not_empty,
           [](ServeOptions& o) -> auto& { return o.server.trusted_proxies; })},
    {"proxy-protocol", "", proxies, "Each connection is a trusted proxy's, by PROXY protocol v1 or v2",
     Form::truth, false,
     truth([](ServeOptions& o) -> auto& { return o.server.proxy_protocol; })},

    {"log-level", "LEVEL", telling, "debug, info (with the access log), warning, error, off [info]", Form::text, false,
     choice(std::vector<std::pair<std::string, LogLevel>>{
                {"debug", LogLevel::debug}, {"info", LogLevel::info}, {"warning", LogLevel::warning},
                {"error", LogLevel::error}, {"off", LogLevel::off}},
            [](ServeOptions& o) -> auto& { return o.log_level; })},
    {"log-format", "FORMAT", telling, "text, or json: an object a line [text]", Form::text, false,
     choice(std::vector<std::pair<std::string, LogFormat>>{{"text", LogFormat::text},
                                                           {"json", LogFormat::json}},
            [](ServeOptions& o) -> auto& { return o.log_format; })},
    {"metrics-listen", "ADDRESS", telling, "HOST:PORT for /metrics, or off [with the rest, if all is local]",
     Form::text, false,
     words("HOST:PORT with an IP address (IPv6 in brackets), or off", good_metrics_place,
           [](ServeOptions& o) -> auto& { return o.metrics_listen; })},
  };
}
// clang-format on

}  // namespace

const std::vector<Option>& serve_options() {
  static const auto table = make_table();
  return table;
}

}  // namespace hotline::tools
