#include "http/proxy_preface.h"

#include <algorithm>
#include <utility>

#include <hotline/base/error.h>

#include "http/worker.h"

namespace hotline::http {

ProxyPreface::ProxyPreface(Worker& worker, StreamPointer stream, ConnectionRules rules)
    : worker_(worker), stream_(std::move(stream)), rules_(rules) {
  worker_.add(*this);
  worker_.loop().connection_opened();
  join(worker_.loop());
  set(worker_.loop(), worker_.loop().now() + worker_.options().head_timeout);
}

ProxyPreface::~ProxyPreface() {
  unlink();
  leave();
  if (stream_) stream_->cancel_wait(*this);
  worker_.loop().connection_closed();
}

void ProxyPreface::ready() noexcept { receive(); }

void ProxyPreface::receive() noexcept {
  auto& blocks = worker_.loop().blocks();
  const auto block = blocks.take();
  const auto transfer = stream_->try_read(block);
  const std::string_view received{block.data(), transfer.size};
  const auto before = reader_.size();
  auto result = ProxyHeaderReader::Result::need_more;
  if (transfer.size > 0) result = reader_.feed(received);
  if (result == ProxyHeaderReader::Result::complete) {
    complete(received.substr(reader_.size() - before));  // deletes this
    blocks.give_back(block.data());
    return;
  }
  blocks.give_back(block.data());
  if (result == ProxyHeaderReader::Result::refused) return refuse(reader_.reason());
  if (transfer.failed() || transfer.ended()) {
    delete this;  // a look whether somebody listens, perhaps
  } else if (worker_.loop().draining() && transfer.would_block() && reader_.size() == 0) {
    delete this;
  } else {
    stream_->wait_readable(*this);
  }
}

void ProxyPreface::complete(std::string_view rest) noexcept {
  auto& worker = worker_;
  const bool named = reader_.names_client();
  auto rules = rules_;
  rules.forwarded = named;
  if (named) stream_->set_addresses(reader_.client(), reader_.server());
  stream_->cancel_wait(*this);
  auto stream = std::move(stream_);
  // The loop has not been left empty between the two.
  worker.admit(std::move(stream), rules, rest, named);
  delete this;
}

void ProxyPreface::expired() noexcept { refuse("it took too long"); }

void ProxyPreface::drain() noexcept {
  using namespace std::chrono_literals;
  // One that is coming in just now has as long as the head of a request has.
  set(worker_.loop(), std::min(deadline(), worker_.loop().now() + 1s));
  stream_->cancel_wait(*this);
  receive();
}

void ProxyPreface::refuse(std::string_view reason) noexcept {
  worker_.refused(*stream_, "no PROXY protocol", reason);
  delete this;
}

}  // namespace hotline::http
