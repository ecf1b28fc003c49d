#pragma once

#include <algorithm>
#include <random>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include <hotline/http/exchange.h>
#include <hotline/http/server.h>
#include <hotline/net/memory_stream.h>

#include "http/server_core.h"
#include "support/test_loop.h"

/// For tests: a site on a loop in virtual time, and clients on memory streams.
namespace hotline::http::testing {

/// Where a handler waits until the test opens it.
class Gate {
 public:
  class Pass {
   public:
    explicit Pass(Gate& gate) : gate_(gate) {}
    Pass(const Pass&) = delete;
    Pass& operator=(const Pass&) = delete;
    ~Pass() {
      if (gate_.waiting_ == this) gate_.waiting_ = nullptr;
    }
    bool await_ready() const noexcept { return false; }
    template <hotline::detail::TaskPromise Promise>
    void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
      resumption_ = hotline::detail::Resumption{handle};
      gate_.waiting_ = this;
    }
    void await_resume() const noexcept {}

   private:
    friend class Gate;
    Gate& gate_;
    hotline::detail::Resumption resumption_;
  };

  Pass pass() { return Pass{*this}; }
  bool is_waited_at() const { return waiting_ != nullptr; }
  void open() {
    if (waiting_) std::exchange(waiting_, nullptr)->resumption_.resume();
  }

 private:
  Pass* waiting_ = nullptr;
};

/// A session's peer. What it receives is without its Date fields, which are checked.
class Client {
 public:
  Client(Loop& loop, StreamPointer stream) : loop_(loop), stream_(std::move(stream)) {}

  /// False: the stream took no more.
  bool send(std::string_view bytes) {
    for (int stalled = 0; !bytes.empty() && stalled < 100;) {
      const auto transfer = stream_->try_write(bytes);
      loop_.run_ready();
      if (transfer.failed()) return false;
      bytes.remove_prefix(transfer.size);
      stalled = transfer.size == 0 ? stalled + 1 : 0;
    }
    return bytes.empty();
  }
  void send_bytewise(std::string_view bytes) {
    for (const auto byte : bytes) send({&byte, 1});
  }
  void send_in_random_cuts(std::string_view bytes, unsigned seed) {
    std::minstd_rand random{seed};
    while (!bytes.empty()) {
      const auto count = std::min<std::size_t>(bytes.size(), 1 + random() % 40);
      send(bytes.substr(0, count));
      bytes.remove_prefix(count);
    }
  }
  /// What has come since the last call, and comes while it is read.
  std::string receive() { return without_dates(receive_raw()); }
  std::string receive_raw(std::size_t most = std::string::npos) {
    std::string bytes;
    loop_.run_ready();
    for (int stalled = 0; stalled < 100 && bytes.size() < most && !ended_ && !reset_;) {
      char buffer[8192];
      const auto transfer =
          stream_->try_read({buffer, std::min(sizeof buffer, most - bytes.size())});
      ended_ = transfer.ended();
      reset_ = transfer.failed();
      bytes.append(buffer, transfer.size);
      loop_.run_ready();
      stalled = transfer.size == 0 ? stalled + 1 : 0;
    }
    return bytes;
  }
  static std::string without_dates(std::string bytes) {
    static constexpr std::string_view name = "Date: ";
    static constexpr std::string_view form = "Aaa, 00 Aaa 0000 00:00:00 AAA\r\n";
    for (auto at = bytes.find(name); at != std::string::npos; at = bytes.find(name, at)) {
      auto date = bytes.substr(at + name.size(), form.size());
      for (auto& c : date) {
        if (c >= '0' && c <= '9') c = '0';
        if (c >= 'A' && c <= 'Z') c = 'A';
        if (c >= 'a' && c <= 'z') c = 'a';
      }
      EXPECT_EQ(date, form);
      bytes.erase(at, name.size() + form.size());
    }
    return bytes;
  }
  /// Sends, and gives what comes back.
  std::string exchange(std::string_view bytes) {
    send(bytes);
    return receive();
  }
  void shut_down() {
    stream_->shut_down();
    loop_.run_ready();
  }
  void hang_up() {
    stream_.reset();
    loop_.run_ready();
  }
  /// Whether the server has closed, orderly, and there is nothing more to receive.
  bool ended() { return receive().empty() && ended_; }
  bool was_reset() const { return reset_; }
  std::uint64_t transfers() const { return memory_stream_transfers(*stream_); }

 private:
  Loop& loop_;
  StreamPointer stream_;
  bool ended_ = false;
  bool reset_ = false;
};

/// A server's core on a loop. Whatever is left of it at its end is a failure (TestLoop).
class Site {
 public:
  explicit Site(ServerOptions options = {}) : core_(std::move(options)) {}

  void handle(std::string_view pattern, Handler handler) {
    core_.handle(pattern, std::move(handler));
  }
  void use(Middleware middleware) { core_.use(std::move(middleware)); }
  /// "ok\n", at once.
  void handle_ok(std::string_view pattern = "/ok") {
    handle(pattern,
           [](Exchange exchange) -> Task<> { co_await exchange.respond(Status::ok, "ok\n"); });
  }
  /// The path, when the gate is opened.
  void handle_later(std::string_view pattern = "/later") {
    handle(pattern, [this](Exchange exchange) -> Task<> {
      const std::string path{exchange.request().path()};
      co_await gate.pass();
      co_await exchange.respond(Status::ok, path);
    });
  }
  /// So many bytes.
  void handle_big(std::size_t size, std::string_view pattern = "/big") {
    handle(pattern, [this, size](Exchange exchange) -> Task<> {
      const Response response{Status::ok, std::string(size, 'b')};
      co_await exchange.respond(response);
      ++passed;
    });
  }

  Client connect(const MemoryStreamOptions& options = {}) { return connect_from({}, options); }
  /// By a socket whose other end is at `remote`.
  Client connect_from(const Address& remote, const MemoryStreamOptions& options = {}) {
    auto [server, client] = make_memory_streams(*loop, options);
    server->set_addresses(remote, {});
    serve(std::move(server));
    loop.settle();
    return {*loop, std::move(client)};
  }
  void serve(StreamPointer stream) {
    Turn turn{*loop};
    core_.serve(*loop, std::move(stream));
  }
  void open_gate() {
    {
      Turn turn{*loop};
      gate.open();
    }
    loop.settle();
  }
  void drain() {
    loop->drain();
    loop.settle();
  }

  std::size_t sessions() { return core_.worker(*loop).sessions(); }
  std::size_t handlers() { return core_.worker(*loop).runs(); }
  std::size_t connections() { return core_.worker(*loop).site().admission->connections(); }

  hotline::testing::TestLoop loop;
  Gate gate;
  int passed = 0;

 private:
  ServerCore core_;
};

/// An answer with a text body, as sent, without its Date.
inline std::string answer(std::string_view status, std::string_view body,
                          std::string_view fields = "") {
  std::string text{"HTTP/1.1 "};
  text.append(status).append("\r\n").append(fields);
  text.append("Content-Type: text/plain; charset=utf-8\r\nContent-Length: ");
  return text.append(std::to_string(body.size())).append("\r\n\r\n").append(body);
}
/// The same, after which the connection ends.
inline std::string last_answer(std::string_view status, std::string_view body) {
  return answer(status, body, "Connection: close\r\n");
}

inline std::string request(std::string_view line, std::string_view fields = "") {
  std::string text{line};
  return text.append("\r\nHost: localhost\r\n").append(fields).append("\r\n");
}
inline std::string get(std::string_view target, std::string_view fields = "") {
  return request("GET " + std::string(target) + " HTTP/1.1", fields);
}

}  // namespace hotline::http::testing
