#include "http/worker.h"

#include <utility>

namespace hotline::http {
namespace {

// So many connections beyond the limit get an answer at a time; the rest are just closed.
constexpr std::size_t most_refusals = 1000;

bool is_loopback(const std::string& address) {
  const auto parsed = Address::parse(address, 0);
  return parsed && parsed->is_loopback();
}

}  // namespace

Site::Site(ServerOptions server_options)
    : options(std::move(server_options)),
      limits{options.header_bytes, options.header_count},
      host_rule(is_loopback(options.address), options.hosts) {}

void Worker::serve(StreamPointer stream) {
  if (site_.connections.load(std::memory_order_relaxed) < site_.options.max_connections) {
    ConnectionSlot slot{site_.connections};
    (new Http1Session{*this, std::move(stream), std::move(slot)})->start();
    return;
  }
  if (site_.refusals.load(std::memory_order_relaxed) >= most_refusals) return;
  Response response{Status::service_unavailable, "503 Service Unavailable\n"};
  response.add("Retry-After", "10");
  ConnectionSlot slot{site_.refusals};
  (new Http1Session{*this, std::move(stream), std::move(slot)})->start_refusing(response);
}

void Worker::close() noexcept {
  Turn turn{loop_};
  // The sessions first: a handler that is cancelled then finds nobody to answer any more.
  while (!sessions_.empty()) delete &sessions_.front();
  while (!runs_.empty()) delete &runs_.front();
}

}  // namespace hotline::http
