#pragma once

#include <chrono>
#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <hotline/net/memory_stream.h>
#include <hotline/protocol/handshake.h>
#include <hotline/testing/call.h>
#include <hotline/websocket/dialer.h>

#include "support/frames.h"
#include "support/test_loop.h"

namespace hotline::websocket {

/// Dials over streams in memory; the test is the server, and speaks raw bytes.
class Dialling {
 public:
  explicit Dialling(DialerOptions options = {}, MemoryStreamOptions streams = {})
      : streams_(std::move(streams)) {
    if (!options.connect) {
      options.connect = [this](const DialTarget& target) { return connect(target); };
    }
    dialer_.emplace(std::move(options));
  }
  Dialling(const Dialling&) = delete;
  Dialling& operator=(const Dialling&) = delete;
  ~Dialling() {
    loop.cancel();
    hang_up();
    loop.call([this] { connection.reset(); });
    loop.advance(std::chrono::seconds(10));
  }

  /// Starts, and lets everything happen that can without time passing.
  Dialling& dial(std::string_view url = "ws://example.org/chat") {
    loop.run(keep(dialer_->dial(url, &response)));
    return *this;
  }
  /// The last request, as far as it has come.
  const std::string& request() {
    for (int idle = 0; client_ && idle < 50;) {
      const auto bytes = client_->receive();
      requests.back() += bytes;
      idle = bytes.empty() ? idle + 1 : 0;
    }
    return requests.back();
  }
  /// A header of it, or "-".
  std::string header(std::string_view name) {
    const auto& text = request();
    const auto at = text.find("\r\n" + std::string(name) + ": ");
    if (at == std::string::npos) return "-";
    const auto begin = at + name.size() + 4;
    return text.substr(begin, text.find("\r\n", begin) - begin);
  }
  std::string accept() { return protocol::accept_for(header("Sec-WebSocket-Key")); }
  /// A good 101 with these fields more.
  std::string switching(std::string_view fields = "") {
    return "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
           "Sec-WebSocket-Accept: " +
           accept() + "\r\n" + std::string(fields) + "\r\n";
  }
  void answer(std::string_view bytes) {
    request();
    if (client_) client_->send(bytes);
  }
  void accept_it(std::string_view fields = "") { answer(switching(fields)); }
  void hang_up() {
    if (client_) client_->hang_up();
    client_.reset();
  }
  testing::RawClient& server() { return *client_; }

  bool is_dialling() const { return !connection && !failure; }
  /// What the dial threw; "" if it has not.
  std::string error() const {
    if (!failure) return "";
    try {
      std::rethrow_exception(failure);
    } catch (const std::exception& error) {
      return error.what();
    }
  }
  std::error_code code() const {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const Error& error) {
      return error.code();
    }
    return {};
  }
  DialRefused refusal() const {
    try {
      if (failure) std::rethrow_exception(failure);
    } catch (const DialRefused& refused) {
      return refused;
    }
    throw std::logic_error("nothing was refused");
  }

  testing::TestLoop loop;
  std::vector<DialTarget> targets;
  std::vector<std::string> requests;
  http::ResponseHead response;
  std::optional<Connection> connection;
  std::exception_ptr failure;

 private:
  Task<> keep(Task<Connection> dial) {
    try {
      connection.emplace(co_await std::move(dial));
    } catch (...) {
      failure = std::current_exception();
    }
  }
  Task<StreamPointer> connect(const DialTarget& target) {
    targets.push_back(target);
    requests.emplace_back();
    auto [ours, theirs] = make_memory_streams(*loop, streams_);
    client_.emplace(loop, std::move(theirs));
    co_return std::move(ours);
  }

  MemoryStreamOptions streams_;
  std::optional<Dialer> dialer_;
  std::optional<testing::RawClient> client_;  // the server's end
};

}  // namespace hotline::websocket
