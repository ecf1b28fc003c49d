#include <hotline/testing/call.h>

#include <deque>

#include <hotline/base/entropy.h>
#include <hotline/base/error.h>
#include <hotline/net/task_group.h>
#include <hotline/protocol/handshake.h>

#include "http/server_core.h"
#include "net/loop.h"
#include "websocket/connection_core.h"

namespace hotline::testing {

using websocket::Connection;
using websocket::ConnectionCore;
using websocket::ConnectionSettings;

namespace {

// So many times in a row nothing moves before it counts as all there is: a line may stall.
constexpr int patience = 100;

Connection make_connection(Loop& loop, protocol::Role role, StreamPointer stream,
                           const websocket::Limits& limits, const std::string& subprotocol,
                           std::string received = {}) {
  Turn turn{loop};
  auto settings = std::make_shared<ConnectionSettings>(limits);
  ConnectionCore::Origins origins;
  origins.received = std::move(received);
  if (!subprotocol.empty()) {
    settings->subprotocols = {subprotocol};
    origins.subprotocol = 0;
  }
  return Connection{
      *new ConnectionCore{loop, role, std::move(stream), std::move(settings), std::move(origins)}};
}

}  // namespace

Pair make_pair(VirtualLoop& loop, const PairOptions& options) {
  auto [server, client] = make_memory_streams(*loop, options.stream);
  return {make_connection(*loop, protocol::Role::server, std::move(server), options.server,
                          options.subprotocol),
          make_connection(*loop, protocol::Role::client, std::move(client), options.client,
                          options.subprotocol)};
}

struct Caller::State {
  State(VirtualLoop& own_loop, Connection own) : loop(own_loop), connection(std::move(own)) {}
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() {
    loop.call([this] { group.cancel(); });
    loop.call([this] { const Connection gone = std::move(connection); });
  }

  Task<> read() {
    while (auto message = co_await connection.read())
      messages.push_back(std::move(*message).keep());
  }
  static Task<> write(Connection& connection, websocket::KeptMessage message) {
    if (message.is_text()) {
      co_await connection.write(message.text());
    } else {
      co_await connection.write(message.bytes());
    }
  }
  bool send(protocol::Opcode opcode, std::string_view bytes) {
    if (!connection.is_open()) return false;
    std::string copy{bytes};
    auto message = websocket::Message{opcode, {copy.data(), copy.size()}}.keep();
    loop.call([&] { group.spawn(write(connection, std::move(message))); });
    return true;
  }

  VirtualLoop& loop;
  Connection connection;
  std::deque<websocket::KeptMessage> messages;
  TaskGroup group;
};

Caller::Caller(VirtualLoop& loop, Connection connection)
    : state_(std::make_unique<State>(loop, std::move(connection))) {
  loop.call([this] { state_->group.spawn(state_->read()); });
}
Caller::Caller(Caller&&) noexcept = default;
Caller& Caller::operator=(Caller&&) noexcept = default;
Caller::~Caller() = default;

bool Caller::send(std::string_view text) { return state_->send(protocol::Opcode::text, text); }
bool Caller::send(std::span<const std::byte> binary) {
  return state_->send(protocol::Opcode::binary,
                      {reinterpret_cast<const char*>(binary.data()), binary.size()});
}

std::optional<websocket::KeptMessage> Caller::receive_message() {
  state_->loop.settle();
  if (state_->messages.empty()) return std::nullopt;
  auto message = std::move(state_->messages.front());
  state_->messages.pop_front();
  return message;
}

std::optional<std::string> Caller::receive() {
  const auto message = receive_message();
  return message ? std::optional<std::string>{message->text()} : std::nullopt;
}

const websocket::CloseStatus& Caller::close(websocket::CloseCode code, std::string_view reason) {
  state_->loop.call([&] { (void)state_->connection.close(code, reason); });
  return status();
}

const websocket::CloseStatus& Caller::status() const {
  state_->loop.settle();
  return state_->connection.close_status();
}
bool Caller::is_open() const {
  state_->loop.settle();
  return state_->connection.is_open();
}
Connection& Caller::connection() { return state_->connection; }

bool RawClient::send(std::string_view bytes) {
  for (int stalled = 0; !bytes.empty() && stalled < patience;) {
    const auto transfer = stream_->try_write({bytes.data(), bytes.size()});
    loop_.settle();
    if (transfer.failed()) return false;
    bytes.remove_prefix(transfer.size);
    stalled = transfer.size == 0 ? stalled + 1 : 0;
  }
  return bytes.empty();
}

std::string RawClient::receive(std::size_t most) {
  std::string bytes;
  loop_.settle();
  for (int stalled = 0; stalled < patience && bytes.size() < most && !ended_ && !reset_;) {
    char buffer[8192];
    const auto transfer = stream_->try_read({buffer, std::min(sizeof buffer, most - bytes.size())});
    ended_ = transfer.ended();
    reset_ = transfer.failed();
    bytes.append(buffer, transfer.size);
    loop_.settle();
    stalled = transfer.size == 0 ? stalled + 1 : 0;
  }
  return bytes;
}

void RawClient::shut_down() {
  stream_->shut_down();
  loop_.settle();
}

void RawClient::hang_up() {
  stream_.reset();
  loop_.settle();
}

bool RawClient::ended() { return receive().empty() && ended_; }

RawClient connect(VirtualLoop& loop, http::Server& server, const MemoryStreamOptions& options) {
  auto [theirs, ours] = make_memory_streams(*loop, options);
  loop.call([&] { server.core().serve(*loop, std::move(theirs)); });
  return {loop, std::move(ours)};
}

std::function<Task<StreamPointer>(const websocket::DialTarget&)> dials_to(
    VirtualLoop& loop, http::Server& server, MemoryStreamOptions options) {
  return [&loop, &server,
          options = std::move(options)](const websocket::DialTarget&) -> Task<StreamPointer> {
    auto [theirs, ours] = make_memory_streams(*loop, options);
    loop.call([&] { server.core().serve(*loop, std::move(theirs)); });
    // Not a coroutine's: what it captures would be gone with the function.
    return [](StreamPointer stream) -> Task<StreamPointer> { co_return stream; }(std::move(ours));
  };
}

Caller call(VirtualLoop& loop, http::Server& server, std::string_view target,
            const CallOptions& options) {
  auto client = connect(loop, server, options.stream);
  std::array<unsigned char, 16> random;
  loop->entropy().fill(std::as_writable_bytes(std::span{random}));
  const auto key = protocol::key_of(random);
  std::string request{"GET "};
  request.append(target).append(
      " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
      "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ");
  request.append(key).append("\r\n");
  for (const auto& name : options.subprotocols) {
    request.append("Sec-WebSocket-Protocol: ").append(name).append("\r\n");
  }
  for (const auto& [name, value] : options.headers) {
    request.append(name).append(": ").append(value).append("\r\n");
  }
  auto answer = client.exchange(request.append("\r\n"));

  const auto end = answer.find("\r\n\r\n");
  const auto refused = [&](const char* why) {
    return Error(Fault::upgrade_refused, std::string(why) + escaped(answer, 1000));
  };
  if (!answer.starts_with("HTTP/1.1 101 ") || end == std::string::npos) throw refused("answered: ");
  const auto field = [&](std::string_view name) -> std::string {
    const auto at = answer.find("\r\n" + std::string(name) + ": ");
    if (at > end) return {};
    const auto begin = at + name.size() + 4;
    return answer.substr(begin, answer.find("\r\n", begin) - begin);
  };
  if (field("Sec-WebSocket-Accept") != protocol::accept_for(key)) throw refused("a bad 101: ");
  return {loop,
          make_connection(*loop, protocol::Role::client, std::move(client.stream()), options.limits,
                          field("Sec-WebSocket-Protocol"), answer.substr(end + 4))};
}

}  // namespace hotline::testing
