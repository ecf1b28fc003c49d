// Masking keys cannot be foretold by who chooses the payload (RFC 6455 5.3 and 10.3).
#include <algorithm>
#include <set>

#include <hotline/base/entropy.h>
#include <hotline/websocket/message_stream.h>
#include <hotline/websocket/prepared.h>

#include "net/loop.h"
#include "websocket/connection_fixture.h"

namespace hotline::websocket {
namespace {

using Key = std::array<unsigned char, 4>;

Task<> say_everything(Connection& connection) {
  static const Prepared prepared{"prepared"};
  co_await connection.write("small");
  co_await connection.write(std::string(300, 'm'));
  const std::string large(100'000, 'l');
  co_await connection.write(std::as_bytes(std::span{large}));
  co_await connection.write(prepared);
  co_await connection.write(prepared);
  auto stream = connection.write_stream(protocol::Opcode::text);
  co_await stream.write("a piece");
  co_await stream.write("another");
  co_await stream.finish();
  co_await connection.ping();
  co_await connection.write("");
  co_await connection.close();
}

// The keys of all kinds of frames that a client sends.
std::vector<Key> keys_of_all_frames(std::uint64_t seed) {
  Line line{Role::client, {}, {}, seed};
  auto connection = line.connect();
  auto sender = connection.sender();
  sender.send("from elsewhere");
  line.loop.run(say_everything(connection));
  line.send(line.frame(ping_opcode, "ping") + line.frame(ping_opcode, "again"));
  std::vector<Key> keys;
  std::set<int> opcodes;
  for (int idle = 0; idle < 5;) {
    const auto frame = line.next_frame();
    if (!frame) {
      ++idle;
      continue;
    }
    idle = 0;
    opcodes.insert(frame->opcode);
    keys.push_back(frame->key);
    if (frame->opcode == ping_opcode) line.send(line.frame(pong_opcode, frame->payload));
  }
  EXPECT_EQ(opcodes, (std::set<int>{0, text, binary, close_opcode, ping_opcode, pong_opcode}));
  EXPECT_GE(keys.size(), 13u);
  return keys;
}

TEST(MaskingKeys, AreFreshForEachFrameOfEveryKind) {
  auto keys = keys_of_all_frames(1);
  std::sort(keys.begin(), keys.end());
  EXPECT_EQ(std::adjacent_find(keys.begin(), keys.end()), keys.end());
  EXPECT_EQ(std::find(keys.begin(), keys.end(), Key{}), keys.end());
}

TEST(MaskingKeys, ComeFromTheLoopsEntropy) {
  const auto keys = keys_of_all_frames(1);
  EXPECT_EQ(keys, keys_of_all_frames(1));
  const auto others = keys_of_all_frames(2);
  for (const auto& key : keys) EXPECT_EQ(std::count(others.begin(), others.end(), key), 0);
}

TEST(MaskingKeys, ComeFromTheSystemUnlessATestSaysOtherwise) {
  Loop loop;
  EXPECT_EQ(&loop.entropy(), &system_entropy());
}

}  // namespace
}  // namespace hotline::websocket
