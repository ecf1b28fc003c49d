// Senders in eight threads, and a connection that ends at a random moment.
#include <atomic>
#include <barrier>
#include <cstdlib>
#include <random>
#include <thread>

#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

constexpr int threads = 8;

// As many rounds as HOTLINE_SENDER_ROUNDS says.
int rounds() {
  const char* const wanted = std::getenv("HOTLINE_SENDER_ROUNDS");
  return wanted ? std::atoi(wanted) : 2000;
}

/// What the threads share in one round.
struct Stage {
  Sender sender;
  std::atomic<bool> over = false;
};

// Sends "thread:number", until the connection has ended and a little longer; the numbers count what
// was taken. Some close it, copy the sender, or send what is prepared.
void send_all(const Stage& stage, int thread, unsigned seed) {
  std::mt19937 random(seed);
  const std::string name = std::to_string(thread) + ":";
  for (int number = 0, late = 0; late < 3;) {
    const Sender copy = stage.sender;
    const auto text = name + std::to_string(number);
    const auto status = random() % 4 == 0 ? copy.send(Prepared{text}) : copy.send(text, name);
    if (status == SendStatus::queued) ++number;
    if (random() % 5000 == 0) copy.close();
    if (random() % 64 == 0) std::this_thread::yield();
    if (stage.over.load()) ++late;
  }
}

/// The peer: every thread's numbers come in their order.
class Order {
 public:
  void take(std::string_view payload) {
    const auto colon = payload.find(':');
    const auto thread = static_cast<std::size_t>(std::stoi(std::string(payload.substr(0, colon))));
    const int number = std::stoi(std::string(payload.substr(colon + 1)));
    EXPECT_GT(number, last_.at(thread));
    last_.at(thread) = number;
  }

 private:
  std::vector<int> last_ = std::vector<int>(threads, -1);
};

Task<> push(Connection connection, std::size_t count) {
  for (; count > 0 && connection.is_open(); --count) {
    const bool taken = co_await connection.write("8:" + std::to_string(1'000'000 - count));
    (void)taken;
  }
  connection.discard_input();
  co_await connection.closed();
}

class Round {
 public:
  explicit Round(std::mt19937& random) : random_(random) {
    MemoryStreamOptions options;
    options.capacity = 500 + random_() % 5000;
    options.seed = random_();
    auto [ours, theirs] = make_memory_streams(loop_, options);
    peer_ = std::move(theirs);
    Turn turn{loop_};
    connection_.emplace(*new ConnectionCore{loop_, Role::server, std::move(ours),
                                            std::make_shared<ConnectionSettings>(Limits{}),
                                            ConnectionCore::Origins{}});
  }
  ~Round() {
    group_.cancel();
    connection_.reset();
    peer_.reset();
    loop_.run_ready();
  }

  Sender sender() {
    static constexpr Overflow policies[] = {Overflow::drop_oldest, Overflow::drop_newest,
                                            Overflow::disconnect};
    return connection_->sender(
        {.messages = 1 + random_() % 200, .bytes = 4000, .overflow = policies[random_() % 3]});
  }

  // The loop's thread: runs, hears, and ends the connection in one way or another.
  void run() {
    if (random_() % 2 == 0) {
      Turn turn{loop_};
      group_.spawn(push(std::move(*connection_), 10));
      connection_.reset();
    }
    for (auto turns = random_() % 30; turns > 0; --turns) {
      loop_.run_ready();
      hear();
    }
    switch (random_() % 4) {
      case 0: peer_.reset(); break;
      case 1: connection_.reset(); break;
      case 2: group_.cancel(); break;
      case 3: loop_.drain(); break;
    }
    for (int turns = 0; turns < 3; ++turns) {
      loop_.run_ready();
      hear();
    }
    if (random_() % 2 == 0) loop_.abandon_members();
  }

 private:
  void hear() {
    if (!peer_) return;
    char buffer[4096];
    const auto transfer = peer_->try_read(buffer);
    bytes_.append(buffer, transfer.size);
    while (const auto frame = hotline::testing::take_frame(bytes_)) {
      if (frame->opcode == text && !frame->payload.starts_with("8:")) order_.take(frame->payload);
    }
  }

  std::mt19937& random_;
  Loop loop_{LoopOptions{.logger = std::make_shared<hotline::testing::MemoryLogger>()}};
  StreamPointer peer_;
  std::optional<Connection> connection_;
  TaskGroup group_;
  std::string bytes_;
  Order order_;
};

TEST(SenderThreads, eight_of_them_and_a_connection_that_ends_at_any_moment) {
  const int count = rounds();
  Stage stage;
  std::barrier gate{threads + 1};
  std::vector<std::thread> senders;
  for (int thread = 0; thread < threads; ++thread) {
    senders.emplace_back([&, thread] {
      for (int round = 0; round < count; ++round) {
        gate.arrive_and_wait();
        send_all(stage, thread, static_cast<unsigned>(round * threads + thread));
        gate.arrive_and_wait();
      }
    });
  }
  std::mt19937 random{7};
  std::uint64_t sent = 0;
  std::uint64_t queued = 0;
  for (int round = 0; round < count; ++round) {
    {
      Round talk{random};
      stage.sender = talk.sender();
      stage.over = false;
      gate.arrive_and_wait();
      talk.run();
    }
    EXPECT_FALSE(stage.sender.is_open());
    stage.over = true;  // the loop has gone, and they send still
    gate.arrive_and_wait();
    const auto counters = stage.sender.counters();
    EXPECT_EQ(counters.waiting, 0u);
    sent += counters.sent;
    queued += counters.queued;
    EXPECT_LE(counters.sent, counters.queued);
  }
  for (auto& sender : senders) sender.join();
  EXPECT_GT(sent, 0u);
  EXPECT_GT(queued, sent);
}

}  // namespace
}  // namespace hotline::websocket
