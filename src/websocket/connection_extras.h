#pragma once

#include <memory>
#include <vector>

#include "websocket/outbox.h"

namespace hotline::websocket {

/// What few connections have, allocated when it is first needed: an idle connection pays a pointer.
struct ConnectionExtras {
  std::vector<std::shared_ptr<Outbox>> outboxes;  // those whose senders have gone stay until empty
  int walks = 0;  // under way through `outboxes`: nothing is taken out meanwhile
};

}  // namespace hotline::websocket
