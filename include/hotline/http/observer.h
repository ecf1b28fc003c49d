#pragma once

#include <cstdint>
#include <string_view>

#include <hotline/base/clock.h>
#include <hotline/http/request.h>
#include <hotline/net/address.h>

namespace hotline::http {

/// How a request ended.
enum class RequestEnd {
  /// It has its answer, whole.
  answered,
  /// Not what a handler said, but the session: the request broke a rule or a limit.
  refused,
  /// The answer was begun (Exchange::start) and never finished: the connection was cut.
  cut,
  /// Its connection has gone over to another protocol, by a 101.
  upgraded,
  /// Its connection was taken by the handler, which speaks for itself (Exchange::hijack).
  hijacked,
  /// Its client, or the server's own end, came before the answer.
  abandoned,
};

/// One request, when it has ended. All that it refers to is valid during the call only, and as the
/// peer sent it: escape it (hotline::escaped) where it goes into a log.
struct RequestRecord {
  RequestEnd end = RequestEnd::answered;
  /// Of the answer. 101: upgraded. 0: hijacked. 499: abandoned.
  int status = 0;
  /// Null where the request was refused before its head had been understood.
  const Request* request = nullptr;
  /// "" and 0 where there is no request.
  std::string_view method{};
  std::string_view target{};
  /// 10 or 11.
  int version = 0;
  const Address& remote;
  /// Of the answer's body, as far as they were given to the connection, without chunks' frames.
  std::uint64_t response_bytes = 0;
  /// Of the request's body, as far as the handler has received it.
  std::uint64_t request_bytes = 0;
  /// From the end of the request's head to the end of its answer; 0 where it was refused before.
  Duration duration{};
  /// Why it was refused, not upgraded, or abandoned, in the server's words; "" otherwise.
  std::string_view reason{};
};

/// Hears what a server does, for access logs and figures (ServerOptions::observer).
///
/// Called on the loops' threads, several at a time: implementations are thread-safe, quick, and
/// never block.
class ServerObserver {
 public:
  virtual ~ServerObserver() = default;

  /// Once for each request that came whole, or was refused on its way.
  virtual void request_ended(const RequestRecord& record) noexcept { (void)record; }
  /// A connection was accepted, and is served.
  virtual void connection_opened(const Address& remote) noexcept { (void)remote; }
  /// It is no more; also where it was upgraded or hijacked in between.
  virtual void connection_closed(const Address& remote) noexcept { (void)remote; }
  /// A connection was turned away, by an answer or by being closed. `reason`: a word or a few, such
  /// as "full"; always the same ones.
  virtual void connection_refused(std::string_view reason, const Address& remote) noexcept {
    (void)reason;
    (void)remote;
  }
  /// The server begins to end (Server::drain(), or a signal): once.
  virtual void drain_began() noexcept {}
};

}  // namespace hotline::http
