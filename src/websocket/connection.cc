#include <hotline/websocket/connection.h>

#include <exception>

#include <hotline/base/error.h>
#include <hotline/base/failing.h>

#include "protocol/utf8.h"
#include "websocket/connection_core.h"
#include "websocket/outbox.h"

namespace hotline::websocket {

CoreReference::CoreReference(ConnectionCore& core) noexcept : core_(&core) { core.retain(); }
void CoreReference::drop() noexcept { core_->drop(); }

Connection::Connection(ConnectionCore& core) noexcept
    : core_(core), exceptions_(std::uncaught_exceptions()) {}
Connection::Connection(Connection&& other) noexcept
    : core_(std::move(other.core_)), exceptions_(std::uncaught_exceptions()) {}

Connection& Connection::operator=(Connection&& other) noexcept {
  if (this == &other) return *this;
  if (core_) core_->handle_gone(false);
  core_ = CoreReference{};
  core_ = std::move(other.core_);
  exceptions_ = std::uncaught_exceptions();
  return *this;
}

Connection::~Connection() {
  if (core_) {
    core_->handle_gone(std::uncaught_exceptions() > exceptions_ ||
                       hotline::detail::failed_chain_ends);
  }
}

Connection::Ping Connection::ping() & noexcept { return Ping{*core_}; }

Connection::Closed Connection::close(CloseCode code, std::string_view reason) & {
  if (!protocol::may_be_sent(code, core_->role())) {
    throw Error(Fault::bad_option,
                "close: the code " + std::to_string(static_cast<int>(code)) + " cannot be sent");
  }
  core_->start_close(code, reason);
  return Closed{*core_};
}
Connection::Closed Connection::closed() & noexcept { return Closed{*core_}; }

Sender Connection::sender(const SenderOptions& options) {
  return Sender{core_->make_outbox(options)};
}

void Connection::discard_input() noexcept { core_->discard_input(); }
const CloseStatus& Connection::close_status() const noexcept { return core_->status(); }
bool Connection::is_open() const noexcept { return core_->is_open(); }
const TlsInfo* Connection::tls() const noexcept { return core_->tls(); }
const Address& Connection::remote_address() const noexcept { return core_->remote_address(); }
const Address& Connection::local_address() const noexcept { return core_->local_address(); }
std::string_view Connection::subprotocol() const noexcept { return core_->subprotocol(); }
int Connection::descriptor() const noexcept { return core_->descriptor(); }

void Connection::Read::suspend() noexcept {
  keep_ = CoreReference{core_};
  core_.park(*this);
}
void Connection::Read::abandon() noexcept { core_.cancel(*this); }

void Connection::Write::sent() noexcept {
  taken_ = !core_.output_failed_already();
  resumption_.resume();
}
void Connection::Write::suspend() noexcept {
  keep_ = CoreReference{core_};
  if (!queued() && !held_) core_.rest(*this);
}
void Connection::Write::abandon() noexcept {
  if (held_) {
    core_.cancel_held(*this);
  } else if (queued()) {
    core_.cancel(*this);
  } else {
    core_.cancel_rest(*this);
  }
}

bool Connection::Ping::begin(hotline::detail::Resumption resumption) noexcept {
  if (!core_.start_ping(*this)) return false;
  resumption_ = resumption;
  keep_ = CoreReference{core_};
  return true;
}
void Connection::Ping::abandon() noexcept { core_.cancel(*this); }

bool Connection::Closed::await_ready() const noexcept { return core_.has_ended(); }
void Connection::Closed::begin(hotline::detail::Resumption resumption) noexcept {
  resumption_ = resumption;
  keep_ = CoreReference{core_};
  core_.await_end(*this);
}
CloseStatus Connection::Closed::await_resume() const { return core_.status(); }
void Connection::Closed::abandon() noexcept { core_.cancel(*this); }

}  // namespace hotline::websocket
