#pragma once

#include <cstdint>
#include <exception>
#include <string>

#include <hotline/protocol/close_status.h>

namespace hotline::tools {

/// How a call ended: the program's exit status (see `hotline call --help`), and a sentence for the
/// user, if there is anything to be said.
struct CallEnding {
  enum Status { clean = 0, failed = 1, refused = 3, lost = 4, not_believed = 5 };

  int status = clean;
  std::string sentence;
};

/// Of what a dial, or anything later, has thrown. What is the user's own mistake (a URL that is
/// none) is thrown as UsageError.
CallEnding ending_of(const std::exception_ptr& exception);

/// Of a connection. `finished`: we had all that we wanted, and were about to hang up.
CallEnding ending_of(const protocol::CloseStatus& status, bool finished);

/// For --reconnect: whether it was lost, or its server has gone for a while.
bool may_come_back(const protocol::CloseStatus& status) noexcept;

/// "1011 (something unexpected happened): the reason"
std::string in_words(const protocol::CloseStatus& status);

}  // namespace hotline::tools
