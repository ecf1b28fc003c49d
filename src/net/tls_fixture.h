#pragma once

#include <exception>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "net/net_fixture.h"
#include "net/tls.h"
#include "net/tls_stream.h"
#include "support/certificates.h"

namespace hotline {

/// Both ends of a handshake over memory, and what becomes of it.
struct TlsPair {
  explicit TlsPair(const MemoryStreamOptions& options = {}) {
    auto [one, other] = make_memory_streams(*loop, options);
    client_wire = std::move(one);
    server_wire = std::move(other);
  }

  static const testing::Certificates& authority() { return certificates(); }
  static testing::Certificates& certificates() {
    static testing::Certificates made;
    return made;
  }
  /// What `localhost` shows.
  static const CertificatePair& localhost() {
    static const auto made = certificates().issue({.names = localhost_names()});
    return made;
  }
  static std::vector<std::string> localhost_names() {
    return {"localhost", "127.0.0.1", "::1", "*.rooms.example"};
  }
  static TlsServerOptions server_options() { return {.certificates = {localhost()}}; }
  static TlsClientOptions client_options() { return {.ca_file = certificates().ca_file()}; }

  /// Shakes hands. Where it fails, `client_error` and `server_error` say why.
  TlsPair& connect(const TlsServerOptions& server = server_options(),
                   const TlsClientOptions& client = client_options(),
                   std::string name = "localhost") {
    return connect(std::make_shared<TlsServer>(server), make_tls_client(client), std::move(name));
  }
  TlsPair& connect(const std::shared_ptr<TlsServer>& server,
                   const std::shared_ptr<const TlsClient>& client, std::string name = "localhost") {
    accept = std::make_unique<Accept>(*this, server);
    loop.run(dial(client, std::move(name)));
    for (int round = 0; round < 3000 && !(client_ended && accept->ended); ++round) loop.settle();
    return *this;
  }

  Task<> dial(std::shared_ptr<const TlsClient> client, std::string name) {
    try {
      a = co_await tls_connect(std::move(client_wire), std::move(client), std::move(name), port);
    } catch (const Error& error) {
      client_error = error.code();
      client_sentence = error.what();
    }
    client_ended = true;
  }

  struct Accept final : private Waiter {
    Accept(TlsPair& whose, std::shared_ptr<TlsServer> by)
        : pair(whose), server(std::move(by)), context(server->context()) {
      stream = TlsStream::make(*pair.loop, std::move(pair.server_wire), context.get(),
                               TlsStream::Role::server);
      go_on(false);
    }
    ~Accept() {
      if (stream) stream->cancel_wait(*this);
    }
    void ready() noexcept override { go_on(true); }
    void go_on(bool readable) {
      const auto progress = stream->handshake(readable);
      if (progress == TlsStream::Progress::waits) return stream->wait_readable(*this);
      ended = true;
      if (progress == TlsStream::Progress::done) {
        pair.b = std::move(stream);
      } else {
        pair.server_sentence = stream->failure();
        pair.server_fault = stream->fault();
        stream.reset();
      }
    }
    TlsPair& pair;
    std::shared_ptr<TlsServer> server;
    std::shared_ptr<SSL_CTX> context;
    TlsStream::Pointer stream;
    bool ended = false;
  };

  TlsInfo client_info() const { return *a->tls(); }
  TlsInfo server_info() const { return *b->tls(); }

  TestLoop loop;
  StreamPointer client_wire;
  StreamPointer server_wire;
  std::unique_ptr<Accept> accept;
  StreamPointer a;  ///< the client's end
  StreamPointer b;  ///< the server's end
  std::error_code client_error;
  std::string client_sentence;
  std::string server_sentence;
  std::optional<Fault> server_fault;
  bool client_ended = false;
  std::uint16_t port = 443;
};

}  // namespace hotline
