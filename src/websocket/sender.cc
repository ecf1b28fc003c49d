#include <hotline/websocket/sender.h>

#include <hotline/base/error.h>

#include "websocket/outbox.h"

namespace hotline::websocket {

SendStatus Sender::send(std::string_view text, std::string_view key) const {
  if (!is_open()) return SendStatus::closed;
  return outbox_->send(Prepared{text}, key);
}

SendStatus Sender::send(std::span<const std::byte> binary, std::string_view key) const {
  if (!is_open()) return SendStatus::closed;
  return outbox_->send(Prepared{binary}, key);
}

SendStatus Sender::send(const Prepared& message, std::string_view key) const {
  return outbox_ ? outbox_->send(message, key) : SendStatus::closed;
}

void Sender::close(protocol::CloseCode code, std::string_view reason) const {
  if (outbox_) outbox_->close(code, reason);
}

bool Sender::is_open() const noexcept { return outbox_ && outbox_->is_open(); }

SenderCounters Sender::counters() const { return outbox_ ? outbox_->counters() : SenderCounters{}; }

Sender::Drained Sender::drained() const& { return Drained{outbox_}; }

bool Sender::Drained::await_ready() {
  if (!outbox_) return true;
  if (!outbox_->is_on_loop()) {
    throw Error(Fault::no_runtime, "drained: this is not the loop of the connection");
  }
  drained_ = outbox_->is_drained();
  return drained_ || !outbox_->attached();
}

void Sender::Drained::begin() noexcept {
  waiting_ = true;
  outbox_->wait(*this);
}

Sender::Drained::~Drained() {
  if (waiting_) outbox_->cancel(*this);
}

}  // namespace hotline::websocket
