// The floor: as little work as an echo that is correct for the benchmark can do, one thread of bare
// epoll. What a server of ours costs beyond it, is the price of being a server.
//
// - Edge-triggered, EPOLLIN and EPOLLOUT registered once: no epoll_ctl afterwards, and the kernel
//   does not poll each socket again as it does for the level (1 to 2 % of a small echo, hardly more
//   than the noise). A recv that does not fill the buffer has drained the socket, so there is one
//   recv a readiness.
// - All connections share one receive buffer of 64 KiB. The answers take shape in it: a server's
//   header is four bytes shorter, so that unmasking moves each payload to where it leaves from, and
//   all answers of a batch are one contiguous send.
// - A frame beyond the buffer (or cut by its end) is copied into a buffer of the connection, which
//   grows by doubling and stays, and is unmasked and echoed when it is whole.
//
// With --tls-cert and --tls-key the same by TLS (floor_tls.h).
//
// With --publish all hear what one says: the same answers, one send for each connection.
//
// It does not do what a server must: text is not validated, headers are hardly read, fragments are
// echoed one by one, there are no limits but one, no timeouts and no fairness between connections.
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include <openssl/evp.h>
#include <openssl/sha.h>

#include "arguments.h"
#include "floor_tls.h"
#include "wire.h"

namespace hotline::bench {
namespace {

constexpr std::size_t receive_size = 64 * 1024;
constexpr std::uint64_t message_limit = 64 * 1024 * 1024;

alignas(64) std::array<char, receive_size> received;

SSL_CTX* tls_context = nullptr;  // null: in clear

struct Connection {
  int descriptor;
  std::unique_ptr<FloorTls> tls;
  bool upgraded = false;
  bool closing = false;  // the closing frame is answered: nothing is read any more

  // What had to be kept: answers the socket has not taken yet, then the beginning of a frame.
  char* kept = nullptr;
  std::size_t capacity = 0;
  std::size_t unsent_begin = 0, unsent_end = 0;
  std::size_t input_begin = 0, input_end = 0;
  std::size_t wanted = 0;  // input is not looked at before it is this long

  explicit Connection(int accepted) : descriptor(accepted) {
    if (tls_context != nullptr) tls = std::make_unique<FloorTls>(tls_context, accepted);
  }
  Connection(const Connection&) = delete;
  ~Connection() {
    ::close(descriptor);
    std::free(kept);
  }

  bool has_unsent() const { return unsent_begin != unsent_end; }

  ssize_t receive() {
    if (tls) return tls->receive(received.data(), received.size());
    return ::recv(descriptor, received.data(), received.size(), 0);
  }
  // How much went out; a broken connection ends at its next recv, so it does not matter here.
  std::size_t send(const char* begin, std::size_t size) const {
    const auto sent = tls ? tls->send(begin, size) : ::send(descriptor, begin, size, MSG_NOSIGNAL);
    return sent < 0 ? 0 : static_cast<std::size_t>(sent);
  }

  void reserve(std::size_t size) {
    if (size <= capacity) return;
    std::size_t grown = capacity == 0 ? receive_size : capacity;
    while (grown < size) grown *= 2;
    kept = static_cast<char*>(std::realloc(kept, grown));
    if (kept == nullptr) std::abort();
    capacity = grown;
  }
};

enum class Outcome { alive, ended };

bool publishing = false;
std::vector<Connection*> everybody;  // while publishing

[[noreturn]] void fail(const char* what) {
  throw std::system_error(errno, std::generic_category(), what);
}

std::string accept_token(std::string_view key) {
  const std::string text = std::string(key) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, SHA_DIGEST_LENGTH> digest;
  SHA1(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  std::array<unsigned char, 29> encoded;
  EVP_EncodeBlock(encoded.data(), digest.data(), SHA_DIGEST_LENGTH);
  return reinterpret_cast<const char*>(encoded.data());
}

std::string_view websocket_key(std::string_view head) {
  constexpr std::string_view name = "\r\nsec-websocket-key:";
  for (std::size_t at = 0; at + name.size() < head.size(); ++at) {
    std::size_t same = 0;
    while (same < name.size() && (head[at + same] | 0x20) == (name[same] | 0x20)) ++same;
    if (same < name.size()) continue;
    std::string_view value = head.substr(at + name.size());
    value = value.substr(0, value.find('\r'));
    const auto first = value.find_first_not_of(" \t");
    const auto last = value.find_last_not_of(" \t");
    return first == value.npos ? std::string_view{} : value.substr(first, last - first + 1);
  }
  return {};
}

// Any request with a key is welcome, at any path. Returns the head's size, 0 if it is not whole.
std::size_t upgrade(Connection& connection, std::string_view input, Outcome& outcome) {
  const auto end = input.find("\r\n\r\n");
  if (end == input.npos) {
    if (input.size() > receive_size) outcome = Outcome::ended;
    return 0;
  }
  const auto key = websocket_key(input.substr(0, end + 2));
  const std::string answer =
      key.empty()
          ? "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
          : "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Accept: " +
                accept_token(key) + "\r\n\r\n";
  const auto sent = connection.send(answer.data(), answer.size());
  if (key.empty() || sent != answer.size()) outcome = Outcome::ended;
  connection.upgraded = true;
  return end + 4;
}

// To all that have been upgraded. They must have room for it: this floor keeps nothing for them.
void publish(const char* begin, std::size_t size) {
  for (const auto* const connection : everybody) {
    if (!connection->upgraded) continue;
    if (connection->send(begin, size) != size) fail("send");
  }
}

void keep(Connection& connection, const char* data, const char* unsent, std::size_t unsent_size,
          const char* input, std::size_t input_size) {
  if (data == connection.kept && unsent_size != 0) {  // too large to move about: stays where it is
    connection.unsent_begin = static_cast<std::size_t>(unsent - data);
    connection.unsent_end = connection.unsent_begin + unsent_size;
    connection.input_begin = static_cast<std::size_t>(input - data);
    connection.input_end = connection.input_begin + input_size;
    return;
  }
  if (unsent_size + input_size != 0) {
    connection.reserve(unsent_size + input_size);
    if (unsent_size != 0) std::memcpy(connection.kept, unsent, unsent_size);
    if (input_size != 0) std::memmove(connection.kept + unsent_size, input, input_size);
  }
  connection.unsent_begin = 0;
  connection.unsent_end = connection.input_begin = unsent_size;
  connection.input_end = unsent_size + input_size;
}

// Answers all whole frames of [data, data + size) in place, with one send, and keeps the rest.
Outcome answer(Connection& connection, char* data, std::size_t size) {
  Outcome outcome = Outcome::alive;
  char* in = data;
  char* const end = data + size;
  connection.wanted = 0;
  if (!connection.upgraded) {
    in += upgrade(connection, {data, size}, outcome);
    if (outcome == Outcome::ended) return outcome;
  }
  char* const begin = in;
  char* out = in;
  while (connection.upgraded && !connection.closing) {
    const FrameHeader header = parse_header(in, static_cast<std::size_t>(end - in));
    if (header.size == 0) break;
    if (!header.masked || header.payload > message_limit) return Outcome::ended;
    const std::size_t payload = header.payload;
    if (header.size + payload > static_cast<std::size_t>(end - in)) {
      connection.wanted = header.size + payload;
      break;
    }
    const auto opcode = header.first & opcode_bits;
    if (opcode != pong) {
      const auto first =
          opcode == ping ? static_cast<std::uint8_t>(header.first ^ ping ^ pong) : header.first;
      out += write_header(out, first, payload);
      apply_mask(out, in + header.size, payload, header.key);
      out += payload;
      connection.closing = opcode == close;
    }
    in += header.size + payload;
  }
  const auto answers = static_cast<std::size_t>(out - begin);
  auto sent = answers;
  if (answers != 0 && publishing && !connection.closing) {
    publish(begin, answers);
  } else if (answers != 0) {
    sent = connection.send(begin, answers);
  }
  if (connection.closing) in = end;
  if (sent != answers || in != end || connection.input_end != 0) {
    keep(connection, data, begin + sent, answers - sent, in, static_cast<std::size_t>(end - in));
  }
  if (connection.closing && !connection.has_unsent()) ::shutdown(connection.descriptor, SHUT_WR);
  return outcome;
}

Outcome receive(Connection& connection, bool hung_up) {
  if (connection.tls) connection.tls->begin(hung_up);
  for (;;) {
    const auto count = connection.receive();
    if (count == 0 || (count < 0 && errno != EAGAIN)) return Outcome::ended;
    if (count < 0) return Outcome::alive;
    const auto size = static_cast<std::size_t>(count);
    if (connection.input_end == 0) {
      if (answer(connection, received.data(), size) == Outcome::ended) return Outcome::ended;
    } else {
      connection.reserve(connection.input_end + size);
      std::memcpy(connection.kept + connection.input_end, received.data(), size);
      connection.input_end += size;
      if (connection.input_end >= connection.wanted &&
          answer(connection, connection.kept, connection.input_end) == Outcome::ended) {
        return Outcome::ended;
      }
    }
    if (connection.has_unsent()) return Outcome::alive;  // back-pressure: EPOLLOUT goes on
    const bool more = connection.tls ? connection.tls->has_more() : size == received.size();
    if (!more && !hung_up) return Outcome::alive;
  }
}

Outcome ready(Connection& connection, std::uint32_t events) {
  if (connection.has_unsent()) {
    if (events & (EPOLLERR | EPOLLHUP)) return Outcome::ended;
    connection.unsent_begin += connection.send(connection.kept + connection.unsent_begin,
                                               connection.unsent_end - connection.unsent_begin);
    if (connection.has_unsent()) return Outcome::alive;
    if (connection.closing) ::shutdown(connection.descriptor, SHUT_WR);
    keep(connection, connection.kept, nullptr, 0, connection.kept + connection.input_begin,
         connection.input_end - connection.input_begin);
    events |= EPOLLIN;  // its edge may have passed while nothing was read
  }
  if (!(events & (EPOLLIN | EPOLLRDHUP | EPOLLERR | EPOLLHUP))) return Outcome::alive;
  // After the peer's end no further edge comes, so then it is read until recv says so.
  return receive(connection, (events & (EPOLLRDHUP | EPOLLERR | EPOLLHUP)) != 0);
}

int listen_on(std::uint16_t port) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (listener < 0) fail("socket");
  const int on = 1;
  ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) fail("bind");
  if (::listen(listener, 4096) < 0) fail("listen");
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  std::printf("listening on %d\n", ntohs(address.sin_port));
  std::fflush(stdout);
  return listener;
}

void accept_all(int listener, int poll) {
  for (;;) {
    const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (accepted < 0) return;
    const int on = 1;
    ::setsockopt(accepted, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    epoll_event event{};
    event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
    auto* const connection = new Connection(accepted);
    if (publishing) everybody.push_back(connection);
    event.data.ptr = connection;
    if (::epoll_ctl(poll, EPOLL_CTL_ADD, accepted, &event) < 0) fail("epoll_ctl");
  }
}

[[noreturn]] void serve(std::uint16_t port) {
  const int listener = listen_on(port);
  const int poll = ::epoll_create1(EPOLL_CLOEXEC);
  if (poll < 0) fail("epoll_create1");
  epoll_event event{};
  event.events = EPOLLIN;  // data.ptr stays null: the listener
  if (::epoll_ctl(poll, EPOLL_CTL_ADD, listener, &event) < 0) fail("epoll_ctl");
  std::array<epoll_event, 512> events;
  for (;;) {
    const int count = ::epoll_wait(poll, events.data(), events.size(), -1);
    for (int i = 0; i < count; ++i) {
      const auto& occurred = events[static_cast<std::size_t>(i)];
      auto* const connection = static_cast<Connection*>(occurred.data.ptr);
      if (connection == nullptr) {
        accept_all(listener, poll);
      } else if (ready(*connection, occurred.events) == Outcome::ended) {
        std::erase(everybody, connection);
        delete connection;
      }
    }
  }
}

extern "C" void stop(int) { ::_exit(0); }

}  // namespace
}  // namespace hotline::bench

int main(int argc, char** argv) {
  try {
    hotline::bench::Arguments arguments(argc, argv);
    const auto port = arguments.number<std::uint16_t>("--port", 0);
    hotline::bench::publishing = arguments.flag("--publish");
    const auto certificate = arguments.value("--tls-cert");
    if (const auto key = arguments.value("--tls-key"); certificate && key) {
      hotline::bench::tls_context = hotline::bench::FloorTls::make_context(*certificate, *key);
    }
    arguments.finish();
    std::signal(SIGTERM, hotline::bench::stop);
    std::signal(SIGINT, hotline::bench::stop);
    hotline::bench::serve(port);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_epoll_floor: %s\n", error.what());
    return 1;
  }
}
