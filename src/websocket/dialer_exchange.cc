// The request of a dial, and what is answered.
#include <array>

#include <hotline/protocol/handshake.h>

#include "net/loop.h"
#include "net/stream_wait.h"
#include "websocket/client_handshake.h"
#include "websocket/dialer_state.h"

namespace hotline::websocket {

using http::ResponseReader;

namespace {

constexpr int most_interim = 8;
constexpr std::size_t read_size = 4096;

[[noreturn]] void fail(const Stream& stream, const Transfer& transfer, const http::Url& url,
                       const char* what) {
  // With TLS 1.3 a server says only now that it wants a client's certificate.
  if (const auto failure = tls_failure(stream); !failure.empty()) {
    throw Error(Fault::tls_failed, url.text() + ": " + failure);
  }
  throw Error(transfer.code(), url.text() + ": " + what);
}

}  // namespace

Task<> Dialer::State::send(StreamPointer& stream, Request& request) const {
  std::array<unsigned char, 16> random;
  Loop::require().entropy().fill(std::as_writable_bytes(std::span{random}));
  request.key = protocol::key_of(random);
  std::string cookies;
  if (options_.cookies) cookies = options_.cookies->cookies_for(request.url.text());
  const auto head = request_head(options_, request.url, request.key, request.foreign, cookies);
  if (options_.dial_observer) options_.dial_observer->request(head);
  for (std::string_view rest{head}; !rest.empty();) {
    const auto transfer = stream->try_write({rest.data(), rest.size()});
    if (transfer.failed()) fail(*stream, transfer, request.url, "sending");
    rest.remove_prefix(transfer.size);
    if (rest.empty()) break;
    StreamWait writable{stream, StreamWait::writable};
    co_await writable;
  }
}

// `received`: what came behind the head.
Task<> Dialer::State::read_head(StreamPointer& stream, const Request& request,
                                std::optional<ResponseReader>& reader,
                                std::string& received) const {
  int interim = 0;
  reader.emplace();
  for (;;) {
    std::string_view rest{received};
    const auto result = reader->feed(rest);
    received.erase(0, received.size() - rest.size());
    if (result == ResponseReader::Result::refused) {
      throw Error(Fault::bad_response, request.url.text() + ": " + reader->refusal());
    }
    if (result == ResponseReader::Result::complete) {
      if (options_.dial_observer) options_.dial_observer->response(reader->bytes());
      const auto status = reader->head().status;
      if (status >= 200 || status == 101) co_return;
      if (++interim > most_interim) {
        throw Error(Fault::bad_response, request.url.text() + ": more than " +
                                             std::to_string(most_interim) + " interim responses");
      }
      reader.emplace();
      continue;
    }
    received.resize(read_size);
    const auto transfer = stream->try_read(received);
    received.resize(transfer.size);
    if (transfer.failed()) fail(*stream, transfer, request.url, "waiting for the answer");
    if (transfer.ended()) {
      throw Error(Fault::connection_reset,
                  request.url.text() + ": the server hung up " +
                      (reader->bytes().empty() ? "without an answer" : "within its answer"));
    }
    if (transfer.would_block()) {
      StreamWait readable{stream, StreamWait::readable};
      co_await readable;
    }
  }
}

Task<> Dialer::State::read_body(StreamPointer& stream, http::ResponseBody& body) {
  std::string buffer(read_size, '\0');
  while (!body.done()) {
    const auto transfer = stream->try_read(buffer);
    if (transfer.failed() || transfer.ended()) break;
    body.feed(std::string_view{buffer}.substr(0, transfer.size));
    if (transfer.would_block()) {
      StreamWait readable{stream, StreamWait::readable};
      co_await readable;
    }
  }
}

}  // namespace hotline::websocket
