#include "tools/message_text.h"

#include <gtest/gtest.h>

namespace hotline::tools {
namespace {

using protocol::Message;
using protocol::Opcode;

std::string text(std::string bytes, const MessageStyle& style) {
  return shown(Message{Opcode::text, bytes, Message::Checked{}}, style);
}
std::string binary(std::string bytes, const MessageStyle& style) {
  return shown(Message{Opcode::binary, bytes, Message::Checked{}}, style);
}

TEST(MessageText, is_the_message_in_a_pipe) {
  const MessageStyle pipe;
  EXPECT_EQ(text("hello\x1b[1m", pipe), "hello\x1b[1m\n");
  EXPECT_EQ(text("", pipe), "\n");
  EXPECT_EQ(binary(std::string("\0\xff", 2), pipe), std::string("\0\xff", 2));
}

TEST(MessageText, is_harmless_on_a_terminal) {
  const MessageStyle terminal{.terminal = true};
  EXPECT_EQ(text("hello\x1b[1m", terminal), "hello\\x1b[1m\n");
  EXPECT_EQ(binary(std::string("\0\xff", 2), terminal), "(binary, 2 bytes: 00 ff)\n");
}

TEST(MessageText, is_hexadecimal_on_demand) {
  const MessageStyle hex{.hex = true};
  EXPECT_EQ(text("hi", hex), "68 69\n");
  EXPECT_EQ(binary("hi", hex), "68 69\n");
}

TEST(MessageText, indents_what_is_json) {
  const MessageStyle json{.json = true};
  EXPECT_EQ(text("[1]", json), "[\n  1\n]\n");
  EXPECT_EQ(text("[1", json), "[1\n");
  EXPECT_EQ(binary("[1]", json), "[1]");
  EXPECT_EQ(text("1", {.terminal = true, .colours = true, .json = true}), "\x1b[36m1\x1b[0m\n");
}

}  // namespace
}  // namespace hotline::tools
