#pragma once

#include <string>

#include <hotline/protocol/message.h>

namespace hotline::tools {

/// How messages are shown.
struct MessageStyle {
  bool terminal = false;  ///< For a person: nothing in it may take the terminal over.
  bool colours = false;
  bool hex = false;
  bool json = false;
};

/// What is written for a message: text with a line's end behind it. A binary message is a short
/// note on a terminal; elsewhere it is as it is, with nothing behind it.
std::string shown(const protocol::Message& message, const MessageStyle& style);

}  // namespace hotline::tools
