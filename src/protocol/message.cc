#include <hotline/protocol/message.h>

#include <new>

namespace hotline::protocol {

KeptMessage Message::keep() && {
  if (!owns_bytes() && size_ != 0) {
    body_ = BodyBuffer::copy_of({data_, size_});
    if (!owns_bytes()) throw std::bad_alloc{};
  }
  data_ = nullptr;
  size_ = 0;
  return KeptMessage{opcode(), std::move(body_)};
}

}  // namespace hotline::protocol
