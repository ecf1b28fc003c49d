#include "tools/metrics.h"

#include <sstream>
#include <thread>

#include <gtest/gtest.h>

#include "tools/open_metrics.h"

namespace hotline::tools {
namespace {

using namespace std::chrono_literals;
using protocol::CloseCode;
using protocol::ClosedBy;
using protocol::CloseStatus;

bool has_line(const std::string& text, const std::string& line) {
  return ("\n" + text).find("\n" + line + "\n") != std::string::npos;
}

TEST(OpenMetrics, has_a_head_for_each_family_and_an_end) {
  OpenMetrics out;
  out.family("calls", "counter", "Calls that came.");
  out.sample("_total", "kind=\"a\"", std::uint64_t{3});
  out.family("wait_seconds", "gauge", "How long.", "seconds");
  out.sample("", "", 0.25);
  EXPECT_EQ(std::move(out).finish(),
            "# TYPE calls counter\n# HELP calls Calls that came.\ncalls_total{kind=\"a\"} 3\n"
            "# TYPE wait_seconds gauge\n# UNIT wait_seconds seconds\n"
            "# HELP wait_seconds How long.\nwait_seconds 0.25\n# EOF\n");
}

TEST(Metrics, of_several_threads_are_summed_up) {
  Metrics metrics;
  const auto count = [&] {
    for (int i = 0; i < 1000; ++i) {
      metrics.websocket_opened();
      websocket::Traffic::add(metrics.traffic().bytes_sent, 10);
    }
    metrics.websocket_ended({CloseCode::going_away, "", ClosedBy::us});
  };
  std::thread a{count};
  std::thread b{count};
  a.join();
  b.join();
  count();
  const auto text = metrics.text({});
  EXPECT_TRUE(has_line(text, "hotline_websocket_connections_total 3000")) << text;
  EXPECT_TRUE(has_line(text, "hotline_websocket_connections_open 2997")) << text;
  EXPECT_TRUE(has_line(text, "hotline_websocket_message_bytes_total{direction=\"sent\"} 30000"));
  EXPECT_TRUE(has_line(text, "hotline_websocket_closed_total{code=\"1001\",by=\"server\"} 3"));
}

TEST(Metrics, of_one_server_are_not_anothers) {
  Metrics a;
  Metrics b;
  a.connection_opened();
  b.connection_opened();
  a.connection_opened();
  EXPECT_TRUE(has_line(a.text({}), "hotline_connections_open 2"));
  EXPECT_TRUE(has_line(b.text({}), "hotline_connections_open 1"));
}

TEST(Metrics, have_few_labels_whatever_peers_say) {
  Metrics metrics;
  for (int code = 0; code < 65536; ++code) {
    metrics.websocket_ended({static_cast<CloseCode>(code), "", ClosedBy::peer});
  }
  metrics.handshake_refused("origin");
  metrics.handshake_refused("a reason of tomorrow");
  const auto text = metrics.text({});
  EXPECT_TRUE(
      has_line(text, "hotline_websocket_closed_total{code=\"4000-4999\",by=\"client\"} 1000"));
  EXPECT_TRUE(has_line(text, "hotline_websocket_closed_total{code=\"1006\",by=\"client\"} 1"));
  EXPECT_TRUE(has_line(text, "hotline_websocket_handshakes_refused_total{reason=\"origin\"} 1"));
  EXPECT_TRUE(has_line(text, "hotline_websocket_handshakes_refused_total{reason=\"other\"} 1"));
  EXPECT_LT(text.size(), 10'000u);
}

TEST(Metrics, count_round_trips_in_buckets_that_grow) {
  Metrics metrics;
  for (const auto duration : {Duration(50us), Duration(100us), Duration(3ms), Duration(60s)}) {
    metrics.round_trip(duration);
  }
  const auto text = metrics.text({});
  const std::string name = "hotline_websocket_round_trip_seconds";
  EXPECT_TRUE(has_line(text, name + "_bucket{le=\"0.0001\"} 2")) << text;
  EXPECT_TRUE(has_line(text, name + "_bucket{le=\"0.0025\"} 2"));
  EXPECT_TRUE(has_line(text, name + "_bucket{le=\"0.005\"} 3"));
  EXPECT_TRUE(has_line(text, name + "_bucket{le=\"10.0\"} 3"));
  EXPECT_TRUE(has_line(text, name + "_bucket{le=\"+Inf\"} 4"));
  EXPECT_TRUE(has_line(text, name + "_count 4"));
  EXPECT_TRUE(has_line(text, name + "_sum 60.00315"));
}

TEST(Metrics, know_each_status_by_its_class) {
  Metrics metrics;
  const Address remote;
  for (const int status : {101, 200, 206, 304, 404, 426, 499, 503, 0}) {
    metrics.request_ended({.status = status, .remote = remote, .response_bytes = 5});
  }
  const auto text = metrics.text({});
  for (const char* line :
       {"{status=\"101\"} 1", "{status=\"2xx\"} 2", "{status=\"3xx\"} 1", "{status=\"4xx\"} 2",
        "{status=\"499\"} 1", "{status=\"5xx\"} 1", "{status=\"hijacked\"} 1"}) {
    EXPECT_TRUE(has_line(text, std::string("hotline_http_requests_total") + line)) << line;
  }
  EXPECT_TRUE(has_line(text, "hotline_http_response_bytes_total 45"));
}

}  // namespace
}  // namespace hotline::tools
