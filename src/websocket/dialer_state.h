#pragma once

#include <memory>
#include <optional>
#include <string>

#include <hotline/websocket/dialer.h>

#include "http/response_reader.h"
#include "http/url.h"
#include "net/connector.h"
#include "websocket/connection_core.h"

namespace hotline::websocket {

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
    std::string place;                   // where it was going, for messages
    std::optional<DialRefused> refused;  // known already, while the body is being read
    bool failed = false;                 // by itself
  };
  // One request of a dial.
  struct Request {
    http::Url url;
    bool foreign = false;     // a redirect has led to another origin
    bool redirected = false;  // to the place that connect_to does not stand for
    std::string key = {};
  };

  Task<Connection> follow(std::string text, http::ResponseHead* response, Progress& progress) const;
  Task<StreamPointer> connect(const Request& request, Progress& progress) const;
  Task<StreamPointer> connect_by_hook(const http::Url& url) const;
  Task<> send(StreamPointer& stream, Request& request) const;
  Task<> read_head(StreamPointer& stream, const Request& request,
                   std::optional<http::ResponseReader>& reader, std::string& received) const;
  Task<> read_body(StreamPointer& stream, http::ResponseBody& body) const;
  std::string location(const http::ResponseHead& head, unsigned followed) const;
  Connection make_connection(StreamPointer stream, const Request& request, int subprotocol,
                             std::string received) const;
  void told(DialStep step, const std::optional<Duration>& took) const noexcept;

  DialerOptions options_;
  std::optional<DialTarget> connect_to_;
  std::shared_ptr<const ConnectionSettings> settings_;
};

}  // namespace hotline::websocket
