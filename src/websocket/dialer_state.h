#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <hotline/websocket/dialer.h>

#include "http/response_reader.h"
#include "http/url.h"
#include "net/connector.h"
#include "net/tls.h"
#include "websocket/connection_core.h"

namespace hotline::websocket {

/// A TLS client that is made when it is needed first, since reading the system's authorities takes
/// some 10 ms; at once where files are named, so that what is wrong with them is known early.
class SharedTls {
 public:
  /// `options` outlive this. Throws Error (bad_option).
  explicit SharedTls(const TlsClientOptions& options);
  std::shared_ptr<const TlsClient> get() const;

 private:
  const TlsClientOptions& options_;
  mutable std::once_flag once_;
  mutable std::shared_ptr<const TlsClient> client_;
};

/// A Dialer's options, checked and prepared.
class Dialer::State {
 public:
  /// Throws Error (bad_option).
  explicit State(DialerOptions options);

  /// All of a dial, under its deadline.
  static Task<Connection> dial(std::shared_ptr<const State> state, std::string url,
                               http::ResponseHead* response);

 private:
  // One dial, in the frame of dial(): what it has come to when the deadline passes.
  struct Progress {
    DialStep step = DialStep::name;
    ConnectTimings timings;
    std::vector<std::string> visited;    // the last: where it was going
    std::optional<DialRefused> refused;  // known already, while the body is being read
    bool failed = false;                 // by itself
  };
  // One request of a dial.
  struct Request {
    http::Url url;
    bool foreign = false;  // a redirect has led to another origin
    std::string key = {};
  };
  // What becomes of an answer that is no 101: on to the next, or what it is refused with.
  struct Verdict {
    std::optional<http::Url> next;
    std::string why = {};
  };

  Task<Connection> follow(std::string text, http::ResponseHead* response, Progress& progress) const;
  Verdict judge(const http::ResponseHead& head, const Request& request,
                const std::vector<std::string>& visited) const;
  Connection make_connection(StreamPointer stream, const Request& request, int subprotocol,
                             std::string received) const;
  void told(DialStep step, const std::optional<Duration>& took) const noexcept;

  // dialer_connect.cc
  Task<StreamPointer> connect(const Request& request, Progress& progress) const;
  Task<StreamPointer> connect_by_hook(const http::Url& url) const;
  Task<StreamPointer> connect_tcp_or_unix(const Request& request, Progress& progress) const;

  // dialer_exchange.cc
  Task<> send(StreamPointer& stream, Request& request) const;
  Task<> read_head(StreamPointer& stream, const Request& request,
                   std::optional<http::ResponseReader>& reader, std::string& received) const;
  static Task<> read_body(StreamPointer& stream, http::ResponseBody& body);

  DialerOptions options_;
  std::optional<DialTarget> connect_to_;
  SharedTls tls_;
  const TlsClientOptions foreign_tls_options_;
  SharedTls foreign_tls_;  // for another origin: neither who we are nor what the first is called
  SharedTls proxy_tls_;
  std::shared_ptr<const ConnectionSettings> settings_;
};

}  // namespace hotline::websocket
