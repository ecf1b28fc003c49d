#pragma once

#include <cstdint>

#include <hotline/protocol/session.h>
#include <hotline/protocol/utf8_validator.h>

namespace hotline::protocol {

/// What a session knows of a message that it gives in pieces. While there is one it stands in the
/// place of the session's limits, and allows no fragments, which keeps whole messages' quick way
/// from it.
struct Session::Streamed : SessionLimits {
  const SessionLimits* outer = nullptr;
  std::uint64_t received = 0;  // of the message, in frames that are complete
  Utf8Validator text;
  bool begun = false;           // a piece of it was given
  bool skipping = false;        // nobody wants the rest
  bool next = false;            // the message behind it is wanted in pieces, too,
  std::uint64_t next_size = 0;  // up to this size

  std::uint64_t most_fragments() const noexcept { return outer->fragments + received / 256; }
};

}  // namespace hotline::protocol
