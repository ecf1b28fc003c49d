// How long the protocol core takes for what it does most. No system calls, no sockets.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include <hotline/protocol/body_buffer.h>
#include <hotline/protocol/frame.h>
#include <hotline/protocol/session.h>

#include "protocol/mask.h"
#include "protocol/utf8.h"

namespace {

using namespace hotline::protocol;

constexpr MaskingKey key{0x37, 0xFA, 0x21, 0x3D};

std::string ascii_text(std::size_t size) {
  std::string text(size, '\0');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + i % 26);
  return text;
}

// Code points of two and three bytes in random order, filled up with ASCII.
std::string mixed_text(std::size_t size) {
  std::string text;
  std::mt19937 random{1};
  while (text.size() + 3 <= size) text += random() % 2 == 0 ? "\u00E9" : "\u20AC";
  text.resize(size, '.');
  return text;
}

std::string text_of(std::int64_t kind, std::size_t size) {
  return kind == 0 ? ascii_text(size) : mixed_text(size);
}

std::string frame(Opcode opcode, std::string payload, bool masked, bool fin = true) {
  char header[max_frame_header_size];
  FrameHeader says{.fin = fin, .opcode = opcode, .payload_size = payload.size()};
  if (masked) {
    says.key = key;
    mask(payload, key);
  }
  const std::size_t size = encode(says, header);
  return std::string(header, size) + payload;
}

void unmask(benchmark::State& state) {
  std::string data = ascii_text(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) {
    mask(data, key);
    benchmark::DoNotOptimize(data.data());
    benchmark::ClobberMemory();
  }
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(unmask)->Arg(7)->Arg(16)->Arg(32)->Arg(64)->Arg(125)->Arg(1024)->Arg(65536)->Arg(1 << 20);

// 0 is ASCII, 1 is mixed. An even number of maskings leaves the text as it was.
void unmask_and_validate_whole(benchmark::State& state) {
  std::string text = text_of(state.range(1), static_cast<std::size_t>(state.range(0)));
  bool good = true;
  for (auto _ : state) {
    good &= unmask_and_validate(text, 0, MaskingKey{}, 0, true);
    benchmark::ClobberMemory();
  }
  if (!good) state.SkipWithError("the text should be valid");
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(unmask_and_validate_whole)
    ->ArgsProduct({{7, 16, 32, 64, 125, 1024, 65536, 1 << 20}, {0, 1}});

void validate_only(benchmark::State& state) {
  const std::string text = text_of(state.range(1), static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) benchmark::DoNotOptimize(valid_utf8(text));
  state.SetBytesProcessed(state.iterations() * state.range(0));
}
BENCHMARK(validate_only)->ArgsProduct({{64, 1 << 20}, {0, 1}});

// Receives the same bytes again and again, as much at a time as prepare() gives.
class Receiver {
 public:
  Receiver(Role role, std::size_t block_size) : block_(block_size), session_{role, limits_} {
    session_.lend(block_);
  }

  std::size_t receive(std::string_view bytes) {
    std::size_t messages = 0;
    while (!bytes.empty()) {
      const auto room = session_.prepare();
      const std::size_t size = std::min(room.size(), bytes.size());
      std::memcpy(room.data(), bytes.data(), size);
      session_.received(size);
      bytes.remove_prefix(size);
      for (;;) {
        const Event event = session_.next_event();
        if (event.kind == EventKind::none) break;
        if (event.kind == EventKind::failure) return 0;
        benchmark::DoNotOptimize(event.data.data());
        ++messages;
      }
    }
    return messages;
  }

 private:
  SessionLimits limits_{.message_size = std::uint64_t{64} << 20, .fragments = 1'000'000};
  std::vector<char> block_;
  Session session_;
};

void receive(benchmark::State& state, Receiver& receiver, const std::string& bytes,
             std::size_t messages) {
  for (auto _ : state) {
    if (receiver.receive(bytes) != messages) return state.SkipWithError("messages were lost");
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(messages));
  state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(bytes.size()));
}

// 256 masked frames in one receive; the time is that of all of them, copying in included.
void small_frames(benchmark::State& state) {
  const auto opcode = static_cast<Opcode>(state.range(1));
  std::string bytes;
  for (int i = 0; i < 256; ++i) {
    bytes += frame(opcode, ascii_text(static_cast<std::size_t>(state.range(0))), true);
  }
  Receiver receiver{Role::server, 65536};
  receive(state, receiver, bytes, 256);
}
BENCHMARK(small_frames)->ArgsProduct({{0, 16, 64, 200}, {1, 2}});

void copying_alone(benchmark::State& state) {
  const std::string bytes(256 * (6 + static_cast<std::size_t>(state.range(0))), 'x');
  std::vector<char> block(65536);
  for (auto _ : state) {
    std::memcpy(block.data(), bytes.data(), bytes.size());
    benchmark::ClobberMemory();
  }
}
BENCHMARK(copying_alone)->Arg(16)->Arg(64)->Arg(200);

// One message, larger than the block.
void large_message(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::string text = text_of(state.range(2), size);
  const std::string bytes = frame(static_cast<Opcode>(state.range(1)), text, true);
  Receiver receiver{Role::server, 65536};
  receive(state, receiver, bytes, 1);
}
BENCHMARK(large_message)
    ->Args({1 << 20, 2, 0})
    ->Args({1 << 20, 1, 0})
    ->Args({1 << 20, 1, 1})
    ->Args({16 << 20, 2, 0})
    ->Args({16 << 20, 1, 1});

// Four connections receive 1 MiB each, a fifth one 16 MiB, a piece at a time in turn; each handler
// holds its message until the next one is complete. What the cache of buffers is for.
void large_messages_in_flight(benchmark::State& state) {
  const std::string small = frame(Opcode::binary, ascii_text(1 << 20), true);
  const std::string large = frame(Opcode::binary, ascii_text(16 << 20), true);
  const SessionLimits limits{.message_size = std::uint64_t{64} << 20};
  struct Connection {
    std::string_view bytes;
    std::vector<char> block = std::vector<char>(65536);
    Message held{};
    std::size_t at = 0;
    Session session;
    explicit Connection(std::string_view its, const SessionLimits& its_limits)
        : bytes{its}, session{Role::server, its_limits} {
      session.lend(block);
    }
    void receive_some() {
      const auto room = session.prepare();
      const std::size_t size = std::min({room.size(), bytes.size() - at, std::size_t{262144}});
      std::memcpy(room.data(), bytes.data() + at, size);
      session.received(size);
      at = (at + size) % bytes.size();
      for (;;) {
        const Event event = session.next_event();
        if (event.kind == EventKind::none) break;
        held = session.take_message(event);
      }
    }
  };
  std::vector<std::unique_ptr<Connection>> connections;
  for (int i = 0; i < 4; ++i) connections.push_back(std::make_unique<Connection>(small, limits));
  connections.push_back(std::make_unique<Connection>(large, limits));
  for (auto _ : state) {
    for (int i = 0; i < 80; ++i) {
      for (auto& connection : connections) connection->receive_some();
    }
  }
  state.counters["cached MiB"] = static_cast<double>(BodyBuffer::cached_bytes() >> 20);
}
BENCHMARK(large_messages_in_flight)->Unit(benchmark::kMillisecond);

// 1 MiB in fragments of so many bytes.
void fragments(benchmark::State& state) {
  const auto size = static_cast<std::size_t>(state.range(0));
  const std::string text = mixed_text(1 << 20);
  std::string bytes;
  for (std::size_t at = 0; at < text.size(); at += size) {
    bytes += frame(at == 0 ? Opcode::text : Opcode::continuation, text.substr(at, size), true,
                   at + size >= text.size());
  }
  Receiver receiver{Role::server, 65536};
  receive(state, receiver, bytes, 1);
}
BENCHMARK(fragments)->Arg(64)->Arg(1024)->Arg(65536);

}  // namespace

BENCHMARK_MAIN();
