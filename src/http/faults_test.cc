#include <algorithm>

#include "http/site_fixture.h"

namespace hotline::http::testing {
namespace {

using namespace std::chrono_literals;

// Everything a session does, on one connection. What comes of it is not asked: the stream may fail
// anywhere. That nothing is left, no task, block, stream or connection, is what TestLoop looks at.
std::uint64_t use_everything(const MemoryStreamOptions& options) {
  Site site;
  site.handle_ok();
  site.handle_later();
  site.handle_big(100'000);
  site.handle("/beside", [&](Exchange exchange) -> Task<> {
    co_await exchange.respond(Status::ok, "beside");
    co_await site.gate.pass();
  });
  site.handle("/raw", [](Exchange exchange) -> Task<> {
    auto stream = co_await exchange.hijack();
    char buffer[64];
    for (;;) {
      const auto count = co_await stream.read_some(buffer);
      if (count == 0) co_return;
      const std::string_view bytes{buffer, count};
      co_await stream.write(bytes);
    }
  });
  auto client = site.connect(options);
  client.send(get("/ok") + get("/later") + get("/big") + "GET /o");
  site.open_gate();
  (void)client.receive();
  client.send(std::string{"k HTTP/1.1\r\nHost: localhost\r\n\r\n"} + get("/beside") + get("/ok"));
  (void)client.receive();
  site.open_gate();
  client.send(get("/raw") + "raw");
  (void)client.receive();
  const auto transfers = client.transfers();
  client.hang_up();
  site.loop.advance(100s);
  EXPECT_EQ(site.sessions(), 0u);
  EXPECT_EQ(site.handlers(), 0u);
  EXPECT_EQ(site.connections(), 0u);
  return transfers;
}

// A request that is refused, and one that is the last.
std::uint64_t be_refused(const MemoryStreamOptions& options) {
  Site site;
  site.handle_big(100'000);
  std::uint64_t transfers = 0;
  for (const auto& last : {std::string{"GET /\n"}, get("/big", "Connection: close\r\n")}) {
    auto client = site.connect(options);
    client.send(last + std::string(2000, 'x'));
    (void)client.receive();
    client.send(std::string(2000, 'x'));
    transfers = std::max(transfers, client.transfers());
    client.hang_up();
    EXPECT_EQ(site.sessions(), 0u);
  }
  return transfers;
}

// Requests with bodies, and answers in pieces.
std::uint64_t use_bodies(const MemoryStreamOptions& options) {
  Site site{{.body_limit = 20'000}};
  site.handle_ok();
  site.handle("/echo", [](Exchange exchange) -> Task<> {
    const auto body = co_await exchange.body();
    co_await exchange.respond(Status::ok, body);
  });
  site.handle("/stream", [&](Exchange exchange) -> Task<> {
    auto body = exchange.body_stream(1 << 20);
    const Response response{Status::ok};
    auto stream = exchange.start(response);
    const std::string large(80'000, 'x');
    co_await stream.write(large);
    while (auto piece = co_await body.read()) {
      const auto bytes = *piece;
      co_await stream.write(bytes);
      co_await site.gate.pass();
    }
    co_await stream.end();
  });
  auto client = site.connect(options);
  const auto post = [](std::string_view target, std::string_view fields) {
    return request("POST " + std::string(target) + " HTTP/1.1", fields);
  };
  const std::string chunked = "Transfer-Encoding: chunked\r\n";
  const std::string chunks =
      "4\r\nbody\r\n" + std::string("2710\r\n").append(10'000, 'x') + "\r\n0\r\nA: b\r\n\r\n";
  client.send(post("/echo", "Content-Length: 4\r\n") + "body" + post("/echo", chunked) + chunks);
  (void)client.receive();
  client.send(post("/ok", chunked) + chunks + post("/echo", "Expect: 100-continue\r\n" + chunked));
  (void)client.receive();
  client.send(chunks + post("/stream", chunked) + chunks.substr(0, 5000));
  (void)client.receive();
  client.send(chunks.substr(5000) + get("/ok"));
  for (int i = 0; i < 20; ++i) {
    site.open_gate();
    (void)client.receive();
  }
  client.send(post("/echo", chunked) + "4e21\r\n");
  (void)client.receive();
  const auto transfers = client.transfers();
  client.hang_up();
  while (site.gate.is_waited_at()) site.open_gate();
  site.loop.advance(200s);
  EXPECT_EQ(site.sessions(), 0u);
  EXPECT_EQ(site.handlers(), 0u);
  EXPECT_EQ(site.connections(), 0u);
  return transfers;
}

using Scenario = std::uint64_t (*)(const MemoryStreamOptions&);

class Faults : public ::testing::TestWithParam<std::pair<Scenario, std::size_t>> {
 protected:
  MemoryStreamOptions options() const { return {.capacity = GetParam().second}; }
  std::uint64_t run(const MemoryStreamOptions& faulty) const { return GetParam().first(faulty); }
};

INSTANTIATE_TEST_SUITE_P(
    Session, Faults,
    ::testing::Values(std::pair{&use_everything, 256 * 1024}, std::pair{&use_everything, 2000},
                      std::pair{&use_bodies, 256 * 1024}, std::pair{&use_bodies, 2000},
                      std::pair{&be_refused, 256 * 1024}, std::pair{&be_refused, 2000}));

TEST_P(Faults, nothing_is_left_whichever_transfer_fails) {
  const auto transfers = run(options());
  for (std::uint64_t at = 1; at <= transfers; ++at) {
    auto faulty = options();
    faulty.fail_at = at;
    run(faulty);
    ASSERT_FALSE(HasFailure()) << "transfer " << at << " of " << transfers;
  }
}

TEST_P(Faults, nothing_is_left_whichever_transfer_resets) {
  const auto transfers = run(options());
  for (std::uint64_t at = 1; at <= transfers; ++at) {
    auto faulty = options();
    faulty.reset_at = at;
    run(faulty);
    ASSERT_FALSE(HasFailure()) << "transfer " << at << " of " << transfers;
  }
}

TEST_P(Faults, nothing_is_left_over_streams_that_split_and_stall) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    auto faulty = options();
    faulty.largest_transfer = 3000;
    faulty.random_sizes = true;
    faulty.stall_one_in = 3;
    faulty.seed = seed;
    run(faulty);
    ASSERT_FALSE(HasFailure()) << "seed " << seed;
  }
}

}  // namespace
}  // namespace hotline::http::testing
