// What one message costs in user code, echoed or sent to many: connections over streams that are
// always ready and take everything. No system calls, no sockets.
#include <cstring>
#include <deque>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>

#include <hotline/hotline.h>
#include <hotline/protocol/frame.h>

#include "net/loop.h"
#include "protocol/mask.h"
#include "websocket/connection_core.h"

namespace {

using namespace hotline;

// Gives the same batch at every readiness, and drops what is written.
class Supply final : public Stream {
 public:
  explicit Supply(std::string batch) : batch_(std::move(batch)) {}

  void offer() noexcept {
    given_ = false;
    if (auto* reader = std::exchange(reader_, nullptr)) reader->ready();
  }
  std::size_t written() const noexcept { return written_; }

  Transfer try_read(std::span<char> bytes) noexcept override {
    if (std::exchange(given_, true)) return {0, EAGAIN};
    const auto size = std::min(bytes.size(), batch_.size());
    std::memcpy(bytes.data(), batch_.data(), size);
    return {size, 0};
  }
  Transfer try_write(std::span<const char> head, std::span<const char> body) noexcept override {
    written_ += head.size() + body.size();
    return {head.size() + body.size(), 0};
  }
  void wait_readable(Waiter& waiter) noexcept override { reader_ = &waiter; }
  void wait_writable(Waiter&) noexcept override {}
  void cancel_wait(Waiter&) noexcept override { reader_ = nullptr; }
  void shut_down() noexcept override {}
  void release() noexcept override {}
  const Address& remote_address() const noexcept override { return address_; }
  const Address& local_address() const noexcept override { return address_; }
  void set_addresses(const Address&, const Address&) noexcept override {}
  void watch(StreamWatcher*) noexcept override {}

 private:
  std::string batch_;
  Waiter* reader_ = nullptr;
  bool given_ = true;
  std::size_t written_ = 0;
  Address address_;
};

std::string frames(std::size_t count, std::size_t size, protocol::Opcode opcode) {
  constexpr protocol::MaskingKey key{0x37, 0xFA, 0x21, 0x3D};
  std::string payload(size, 'a');
  protocol::mask(payload, key);
  char header[protocol::max_frame_header_size];
  const auto header_size =
      protocol::encode({.opcode = opcode, .payload_size = size, .key = key}, header);
  std::string batch;
  while (count-- > 0) batch.append(header, header_size).append(payload);
  return batch;
}

Task<> echo(websocket::Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
}

// Adds up what `hotline serve` tells its operator.
class Account final : public websocket::ConnectionObserver {
 public:
  websocket::Traffic* traffic() noexcept override { return &traffic_; }

 private:
  websocket::Traffic traffic_;
};

class Call final : private detail::ChainOwner {
 public:
  Call(Loop& loop, Supply& supply, Task<> (*handler)(websocket::Connection) = echo,
       std::shared_ptr<websocket::ConnectionObserver> observer = nullptr) {
    Turn turn{loop};
    auto settings = std::make_shared<websocket::ConnectionSettings>(websocket::Limits{});
    settings->observer = std::move(observer);
    auto* const core =
        new websocket::ConnectionCore{loop, protocol::Role::server, StreamPointer{&supply},
                                      std::move(settings), websocket::ConnectionCore::Origins{}};
    core->observe("/", {});
    websocket::Connection connection{*core};
    chain_.start(handler(std::move(connection)), *this);
  }

 private:
  void chain_finished() noexcept override { chain_.reset(); }
  detail::Chain chain_;
};

void echoed(benchmark::State& state, protocol::Opcode opcode,
            std::shared_ptr<websocket::ConnectionObserver> observer = nullptr) {
  const auto count = static_cast<std::size_t>(state.range(0));
  const auto size = static_cast<std::size_t>(state.range(1));
  Supply supply{frames(count, size, opcode)};
  Loop loop;
  Call call{loop, supply, echo, std::move(observer)};
  for (auto _ : state) {
    Turn turn{loop};
    supply.offer();
  }
  const auto each = static_cast<std::size_t>(state.iterations()) * count * (size + 2);
  if (supply.written() + 64 * count * (size + 2) < each)
    state.SkipWithError("it echoed too little");
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * state.range(0));
}
void echoed_binary(benchmark::State& state) { echoed(state, protocol::Opcode::binary); }
void echoed_observed(benchmark::State& state) {
  echoed(state, protocol::Opcode::binary, std::make_shared<Account>());
}
void echoed_text(benchmark::State& state) { echoed(state, protocol::Opcode::text); }

std::vector<websocket::Sender> everybody;

Task<> listen(websocket::Connection connection) {
  everybody.push_back(connection.sender());
  co_await connection.closed();
}

// To so many receivers, so many messages at once.
void published(benchmark::State& state) {
  const auto receivers = static_cast<std::size_t>(state.range(0));
  const std::string payload(64, 'a');
  everybody.clear();
  std::deque<Supply> supplies;
  Loop loop;
  std::deque<Call> calls;
  for (std::size_t i = 0; i < receivers; ++i) {
    calls.emplace_back(loop, supplies.emplace_back(std::string{}), listen);
  }
  for (auto _ : state) {
    {
      Turn turn{loop};
      for (auto left = state.range(1); left > 0; --left) {
        const websocket::Prepared prepared{std::as_bytes(std::span{payload})};
        for (const auto& sender : everybody) sender.send(prepared);
      }
    }
    loop.run_ready();
  }
  const auto deliveries = state.iterations() * state.range(0) * state.range(1);
  std::size_t written = 0;
  for (const auto& supply : supplies) written += supply.written();
  if (written != static_cast<std::size_t>(deliveries) * (payload.size() + 2))
    state.SkipWithError("it delivered something else");
  state.SetItemsProcessed(deliveries);
}

BENCHMARK(published)->Args({1000, 1})->Args({1000, 16});
BENCHMARK(echoed_binary)->Args({1, 32})->Args({16, 64})->Args({255, 32});
BENCHMARK(echoed_observed)->Args({16, 64});
BENCHMARK(echoed_text)->Args({255, 32});

}  // namespace

BENCHMARK_MAIN();
