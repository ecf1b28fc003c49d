#include "net/cork.h"

#include "net/output.h"

namespace hotline {

Cork::Cork() : buffer_(std::make_unique_for_overwrite<char[]>(capacity)) {}

void Cork::take(Output& output) noexcept {
  if (owner_ == &output) return;
  flush();
  owner_ = &output;
}

void Cork::flush() noexcept {
  if (owner_) owner_->flush();
}

}  // namespace hotline
