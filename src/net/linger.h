#pragma once

#include <string>

#include <hotline/net/stream.h>

namespace hotline {

class Loop;

/// The end of a connection whose last bytes must arrive (RFC 6455 7.1.1, RFC 9112 9.6): shuts down
/// writing, reads and drops until the peer has closed, or 1 MiB, or 2 s, and then closes. Closing
/// with unread bytes would reset the connection, and what the peer has not yet read would be lost.
/// Counts as a connection of the loop until then; closes at once when the loop ends.
void linger(Loop& loop, StreamPointer stream) noexcept;

/// The same, behind `bytes` that are to be sent before. They have 30 s.
void send_off(Loop& loop, StreamPointer stream, std::string bytes) noexcept;

}  // namespace hotline
