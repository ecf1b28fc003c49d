// What a connection does for those that few connections have: senders.
#include "websocket/connection_extras.h"

#include <array>
#include <utility>

#include "net/loop.h"
#include "websocket/connection_core.h"

namespace hotline::websocket {

using protocol::Role;

ConnectionExtras& ConnectionCore::extras() {
  if (!extras_) extras_ = std::make_unique<ConnectionExtras>();
  return *extras_;
}

// ---- Senders

std::shared_ptr<Outbox> ConnectionCore::make_outbox(const SenderOptions& options) {
  auto outbox = std::make_shared<Outbox>(loop_.mailbox(), role(), options);
  if (!is_open()) {
    outbox->detach();
    return outbox;
  }
  auto& outboxes = extras().outboxes;
  if (extras_->walks == 0) {  // nobody can write to those that only this has
    std::erase_if(outboxes,
                  [](const auto& one) { return one.use_count() == 1 && one->has_nothing(); });
  }
  outbox->attach(*this);
  outboxes.push_back(outbox);
  return outbox;
}

std::size_t ConnectionCore::outbox_room() const noexcept {
  if (!is_open() || streaming_out_ == StreamingOut::message || output_.high() || output_.failed())
    return 0;
  return Output::high_water + 1 - output_.backlog();
}

bool ConnectionCore::write_prepared(const detail::PreparedFrame& frame,
                                    hotline::detail::Segment* segment) noexcept {
  moved_ = true;
  if (observation_) observation_->sent(frame.payload().size());
  if (role() == Role::server) {
    return !session_.close_sent() && output_.write(frame.bytes, segment);
  }
  send_frame(frame.opcode, frame.payload());
  return segment && output_.wait_if_high(*segment);
}

template <typename Function>
void ConnectionCore::for_each_outbox(const Function& function) noexcept {
  if (!extras_) return;
  const CoreReference alive{*this};
  ++extras_->walks;
  // Whoever is told may make others.
  for (std::size_t i = 0; i < extras_->outboxes.size(); ++i) {
    const auto outbox = extras_->outboxes[i];
    function(*outbox);
  }
  --extras_->walks;
}

void ConnectionCore::deliver_outboxes() noexcept {
  for_each_outbox([](Outbox& outbox) { outbox.deliver(); });
}

void ConnectionCore::deliver_outboxes_to_the_end() noexcept {
  for_each_outbox([](Outbox& outbox) { outbox.deliver_rest(); });
}

void ConnectionCore::detach_outboxes() noexcept {
  for_each_outbox([](Outbox& outbox) { outbox.detach(); });
  if (extras_) extras_->outboxes.clear();
}

}  // namespace hotline::websocket
