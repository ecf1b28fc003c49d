#include "tools/metrics.h"

#include <algorithm>
#include <utility>

#include "tools/open_metrics.h"

namespace hotline::tools {
namespace {

using protocol::ClosedBy;
using protocol::CloseStatus;
using websocket::Traffic;
using Count = Traffic::Count;

// Labels are of few kinds, whatever a peer thinks of: what has no place of its own is "other".
template <std::size_t size>
std::size_t place(const std::array<std::string_view, size>& names, std::string_view name) {
  const auto found = std::find(names.begin(), names.end() - 1, name);
  return static_cast<std::size_t>(found - names.begin());
}

constexpr std::array<std::string_view, 10> handshake_reasons = {
    "method", "not_a_websocket", "body",       "version",  "key",
    "origin", "subprotocols",    "extensions", "draining", "other"};
constexpr std::array<std::string_view, 6> connection_reasons = {
    "full",      "too many of one address", "too fast from one address",
    "untrusted", "no PROXY protocol",       "other"};
constexpr std::array<std::string_view, 7> status_classes = {"101", "2xx", "3xx",     "4xx",
                                                            "5xx", "499", "hijacked"};
constexpr std::array<std::string_view, 19> codes = {
    "1000", "1001", "1002", "1003", "1004", "1005", "1006",      "1007",      "1008", "1009",
    "1010", "1011", "1012", "1013", "1014", "1015", "3000-3999", "4000-4999", "other"};
constexpr std::array<std::string_view, 3> sides = {"client", "server", "transport"};

std::size_t status_class(int status) {
  switch (status) {
    case 0: return 6;
    case 101: return 0;
    case 499: return 5;
    default: return static_cast<std::size_t>(std::clamp(status / 100, 2, 5) - 1);
  }
}

std::size_t code_place(int code) {
  if (code >= 1000 && code < 1016) return static_cast<std::size_t>(code - 1000);
  return code >= 3000 && code < 4000 ? 16 : code >= 4000 && code < 5000 ? 17 : 18;
}

std::size_t side(ClosedBy by) { return by == ClosedBy::peer ? 0 : by == ClosedBy::us ? 1 : 2; }

// Upper bounds of the histogram, in nanoseconds, and as they are written.
struct Bucket {
  std::int64_t nanoseconds;
  std::string_view name;
};
constexpr std::array<Bucket, 16> buckets = {{{100'000, "0.0001"},
                                             {250'000, "0.00025"},
                                             {500'000, "0.0005"},
                                             {1'000'000, "0.001"},
                                             {2'500'000, "0.0025"},
                                             {5'000'000, "0.005"},
                                             {10'000'000, "0.01"},
                                             {25'000'000, "0.025"},
                                             {50'000'000, "0.05"},
                                             {100'000'000, "0.1"},
                                             {250'000'000, "0.25"},
                                             {500'000'000, "0.5"},
                                             {1'000'000'000, "1.0"},
                                             {2'500'000'000, "2.5"},
                                             {5'000'000'000, "5.0"},
                                             {10'000'000'000, "10.0"}}};

template <std::size_t size>
using Counts = std::array<Count, size>;

std::atomic<std::uint64_t> next_number = 1;

}  // namespace

// What one thread counts. Only it writes.
struct alignas(64) Metrics::Shard {
  Traffic traffic;
  Count opened = 0;
  Count closed = 0;
  Count websockets_opened = 0;
  Count request_bytes = 0;
  Count response_bytes = 0;
  Count round_trip_nanoseconds = 0;
  Counts<buckets.size() + 1> round_trips{};
  Counts<status_classes.size()> requests{};
  Counts<connection_reasons.size()> connections_refused{};
  Counts<handshake_reasons.size()> handshakes_refused{};
  std::array<Counts<sides.size()>, codes.size()> ended{};
};

Metrics::Metrics() noexcept : number_(next_number++) {}
Metrics::~Metrics() = default;

Metrics::Shard& Metrics::mine() noexcept {
  static thread_local std::uint64_t owner = 0;
  static thread_local Shard* shard = nullptr;
  if (owner != number_) {
    const std::scoped_lock lock{mutex_};
    shard = shards_.emplace_back(std::make_unique<Shard>()).get();
    owner = number_;
  }
  return *shard;
}

void Metrics::connection_opened() noexcept { Traffic::add(mine().opened, 1); }
void Metrics::connection_closed() noexcept { Traffic::add(mine().closed, 1); }

void Metrics::connection_refused(std::string_view reason) noexcept {
  Traffic::add(mine().connections_refused[place(connection_reasons, reason)], 1);
}

void Metrics::request_ended(const http::RequestRecord& record) noexcept {
  auto& shard = mine();
  Traffic::add(shard.requests[status_class(record.status)], 1);
  Traffic::add(shard.request_bytes, record.request_bytes);
  Traffic::add(shard.response_bytes, record.response_bytes);
}

void Metrics::websocket_opened() noexcept { Traffic::add(mine().websockets_opened, 1); }

void Metrics::websocket_ended(const CloseStatus& status) noexcept {
  Traffic::add(mine().ended[code_place(static_cast<int>(status.code()))][side(status.closed_by())],
               1);
}

void Metrics::handshake_refused(std::string_view reason) noexcept {
  Traffic::add(mine().handshakes_refused[place(handshake_reasons, reason)], 1);
}

void Metrics::round_trip(Duration duration) noexcept {
  auto& shard = mine();
  const auto at = std::find_if(buckets.begin(), buckets.end(), [&](const Bucket& bucket) {
    return duration.count() <= bucket.nanoseconds;
  });
  Traffic::add(shard.round_trips[static_cast<std::size_t>(at - buckets.begin())], 1);
  Traffic::add(shard.round_trip_nanoseconds,
               static_cast<std::uint64_t>(std::max<std::int64_t>(duration.count(), 0)));
}

Traffic& Metrics::traffic() noexcept { return mine().traffic; }

template <typename Read>
std::uint64_t Metrics::sum(const Read& read) const {
  std::uint64_t result = 0;
  const std::scoped_lock lock{mutex_};
  for (const auto& shard : shards_) result += read(*shard).load(std::memory_order_relaxed);
  return result;
}

std::string Metrics::text(const Figures& figures) const {
  OpenMetrics out;
  const auto total = [&](const auto& read, std::string_view labels = {}) {
    out.sample("_total", labels, sum(read));
  };
  const auto labelled = [&](const auto& names, std::string_view label, const auto& read) {
    for (std::size_t i = 0; i < names.size(); ++i) {
      total([&](const Shard& shard) -> auto& { return read(shard)[i]; },
            std::string(label) + "=\"" + std::string(names[i]) + "\"");
    }
  };
  // What began since is counted later than what has ended: never fewer than none.
  const auto open = [&](std::uint64_t ended, std::uint64_t begun) {
    out.sample("", "", begun > ended ? begun - ended : 0);
  };

  out.family("hotline_build", "info", "Which program this is.");
  out.sample("_info", "version=\"" + std::string(figures.version) + "\"", std::uint64_t{1});

  out.family("hotline_connections_open", "gauge", "Connections of any kind that are open.");
  const auto closed = sum([](const Shard& s) -> auto& { return s.closed; });
  open(closed, sum([](const Shard& s) -> auto& { return s.opened; }));
  out.family("hotline_connections", "counter", "Connections that were accepted.");
  total([](const Shard& s) -> auto& { return s.opened; });
  out.family("hotline_connections_refused", "counter", "Connections that were turned away.");
  labelled(connection_reasons, "reason",
           [](const Shard& s) -> auto& { return s.connections_refused; });

  out.family("hotline_http_requests", "counter", "Requests that have ended, by their status.");
  labelled(status_classes, "status", [](const Shard& s) -> auto& { return s.requests; });
  out.family("hotline_http_request_bytes", "counter", "Bytes of requests' bodies.", "bytes");
  total([](const Shard& s) -> auto& { return s.request_bytes; });
  out.family("hotline_http_response_bytes", "counter", "Bytes of responses' bodies.", "bytes");
  total([](const Shard& s) -> auto& { return s.response_bytes; });

  std::uint64_t ended = 0;
  for (std::size_t code = 0; code < codes.size(); ++code) {
    for (std::size_t by = 0; by < sides.size(); ++by) {
      ended += sum([&](const Shard& s) -> auto& { return s.ended[code][by]; });
    }
  }
  out.family("hotline_websocket_connections_open", "gauge", "WebSocket connections that are open.");
  open(ended, sum([](const Shard& s) -> auto& { return s.websockets_opened; }));
  out.family("hotline_websocket_connections", "counter", "WebSocket connections that were opened.");
  total([](const Shard& s) -> auto& { return s.websockets_opened; });
  out.family("hotline_websocket_closed", "counter",
             "WebSocket connections that have ended, by close code and by who ended them.");
  for (std::size_t code = 0; code < codes.size(); ++code) {
    for (std::size_t by = 0; by < sides.size(); ++by) {
      const auto read = [&](const Shard& s) -> auto& { return s.ended[code][by]; };
      const auto count = sum(read);
      if (count == 0) continue;  // 57 series, of which a server sees a handful
      out.sample("_total",
                 "code=\"" + std::string(codes[code]) + "\",by=\"" + std::string(sides[by]) + "\"",
                 count);
    }
  }
  out.family("hotline_websocket_handshakes_refused", "counter",
             "Requests for a WebSocket that were refused.");
  labelled(handshake_reasons, "reason",
           [](const Shard& s) -> auto& { return s.handshakes_refused; });

  out.family("hotline_websocket_messages", "counter", "Messages, either way.");
  total([](const Shard& s) -> auto& { return s.traffic.messages_received; },
        "direction=\"received\"");
  total([](const Shard& s) -> auto& { return s.traffic.messages_sent; }, "direction=\"sent\"");
  out.family("hotline_websocket_message_bytes", "counter", "Bytes of messages, either way.",
             "bytes");
  total([](const Shard& s) -> auto& { return s.traffic.bytes_received; }, "direction=\"received\"");
  total([](const Shard& s) -> auto& { return s.traffic.bytes_sent; }, "direction=\"sent\"");

  out.family("hotline_websocket_round_trip_seconds", "histogram",
             "From a ping to its pong, of keepalive and others.", "seconds");
  std::uint64_t below = 0;
  for (std::size_t i = 0; i <= buckets.size(); ++i) {
    below += sum([&](const Shard& s) -> auto& { return s.round_trips[i]; });
    out.sample("_bucket",
               "le=\"" + std::string(i < buckets.size() ? buckets[i].name : "+Inf") + "\"", below);
  }
  out.sample("_count", "", below);
  out.sample(
      "_sum", "",
      static_cast<double>(sum([](const Shard& s) -> auto& { return s.round_trip_nanoseconds; })) /
          1e9);

  out.family("hotline_backlog_bytes", "gauge",
             "Bytes that wait because their receivers are slow, of all connections.", "bytes");
  out.sample("", "", figures.backlog);
  out.family("hotline_log_lines_lost", "counter", "Lines of the log that nobody took in time.");
  out.sample("_total", "", figures.lost_lines);
  return std::move(out).finish();
}

}  // namespace hotline::tools
