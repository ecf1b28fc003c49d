// A message lies in its connection's receive block; keep() gives an owner of the bytes.
#include <utility>

#include <hotline/protocol/message.h>

void share(hotline::protocol::Message message) {
  hotline::protocol::Message copy = message;  // error: deleted
  hotline::protocol::Message moved = std::move(message);
}
