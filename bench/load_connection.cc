#include "load_connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace hotline::bench {
namespace {

[[noreturn]] void fail(const std::string& what) { throw std::runtime_error(what); }

[[noreturn]] void fail_by_errno(const std::string& what) {
  throw std::system_error(errno, std::generic_category(), what);
}

// Messages up to this size are compared in every batch, larger ones in every 16th.
constexpr std::size_t always_compared = 4096;
constexpr std::size_t compared_batches = 16;

std::string masked_control(Opcode opcode, std::string_view payload) {
  constexpr std::uint32_t key = 0x5bd1e995;
  std::string frame{static_cast<char>(final_fragment | opcode),
                    static_cast<char>(0x80 | payload.size())};
  frame.append(reinterpret_cast<const char*>(&key), 4);
  frame.resize(6 + payload.size());
  apply_mask(frame.data() + 6, payload.data(), payload.size(), key);
  return frame;
}

}  // namespace

LoadConnection::LoadConnection(const Target& target, Batch batch) : batch_(std::move(batch)) {
  sent_ = batch_.wire.size();
  connect_to(target);
  if (target.tls) line_.secure();
  shake_hands(target);
  line_.set_blocking(false);
}

void LoadConnection::connect_to(const Target& target) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) fail_by_errno("cannot make a socket");
  line_.open(descriptor);
  const timeval patience{.tv_sec = 5, .tv_usec = 0};
  ::setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  const int on = 1;
  ::setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(target.port);
  if (::inet_pton(AF_INET, target.host.c_str(), &address.sin_addr) != 1) {
    fail("--host wants an IPv4 address, not '" + target.host + "'");
  }
  if (::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof address) < 0) {
    fail_by_errno("cannot connect to " + target.host + ":" + std::to_string(target.port));
  }
}

void LoadConnection::shake_hands(const Target& target) {
  const std::string request = "GET " + target.path + " HTTP/1.1\r\nHost: " + target.host + ":" +
                              std::to_string(target.port) +
                              "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                              "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
                              sample_key + "\r\n\r\n";
  if (line_.send(request) != static_cast<ssize_t>(request.size())) {
    fail_by_errno("cannot send the handshake");
  }
  std::string head;
  while (!head.ends_with("\r\n\r\n")) {
    std::array<char, 4096> part;
    const auto count = line_.receive(part);
    if (count < 0) fail_by_errno("no answer to the handshake");
    if (count == 0 || head.size() > 16384) fail("no answer to the handshake: '" + head + "'");
    head.append(part.data(), static_cast<std::size_t>(count));
    const auto end = head.find("\r\n\r\n");
    if (end != head.npos && end + 4 != head.size()) fail("more than an answer to the handshake");
  }
  const std::string status_line = head.substr(0, head.find("\r\n"));
  if (!head.starts_with("HTTP/1.1 101 ")) fail("the handshake was refused: " + status_line);
  if (head.find(sample_accept) == head.npos) fail("the handshake's Sec-WebSocket-Accept is wrong");
}

void LoadConnection::start_batch(Clock::time_point now) {
  started_ = now;
  ++batches_;
  echoes_ = 0;
  sent_ = 0;
  send_some();
}

void LoadConnection::send_some() {
  while (sent_ < batch_.wire.size() || !answers_.empty()) {
    const bool in_batch = sent_ < batch_.wire.size();
    const std::string_view rest =
        in_batch ? std::string_view(batch_.wire).substr(sent_) : std::string_view(answers_);
    const auto count = line_.send(rest);
    if (count < 0) {
      if (errno == EAGAIN) return;
      fail_by_errno("the server does not take the messages");
    }
    if (in_batch) {
      sent_ += static_cast<std::size_t>(count);
    } else {
      answers_.erase(0, static_cast<std::size_t>(count));
    }
    if (static_cast<std::size_t>(count) < rest.size()) return;
  }
}

void LoadConnection::ready(Tally& tally, std::span<char> buffer, bool hung_up) {
  for (;;) {
    const auto count = line_.receive(buffer);
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) fail_by_errno("the server broke the connection");
    if (count == 0) fail("the server hung up without a close frame");
    consume(tally, buffer.data(), static_cast<std::size_t>(count));
    if (!at_rest_ && echoes_ == batch_.count && sent_ == batch_.wire.size()) {
      const auto now = Clock::now();
      tally.round_trips.add(static_cast<std::uint64_t>((now - started_).count()));
      at_rest_ = tally.last_batches;
      if (at_rest_) {
        ++tally.at_rest;
      } else {
        start_batch(now);
      }
    }
    // Less than a buffer is all there was; but after the peer's end no further edge comes.
    if (static_cast<std::size_t>(count) < buffer.size() && !hung_up) break;
  }
  send_some();
}

void LoadConnection::hang_up(std::span<char> buffer) {
  line_.set_blocking(true);
  hanging_up_ = true;
  using namespace std::string_view_literals;
  const std::string goodbye = answers_ + masked_control(close, "\x03\xe8"sv);
  line_.send(goodbye);
  Tally ignored;
  while (!close_answered_) {
    const auto count = line_.receive(buffer);
    if (count <= 0) fail("the server does not answer the close frame");
    consume(ignored, buffer.data(), static_cast<std::size_t>(count));
  }
}

void LoadConnection::consume(Tally& tally, const char* data, std::size_t size) {
  const char* const end = data + size;
  while (data != end || frame_.size != 0) {
    if (frame_.size == 0) {
      const std::size_t taken =
          std::min(static_cast<std::size_t>(end - data), longest_header - header_size_);
      std::memcpy(header_bytes_ + header_size_, data, taken);
      const FrameHeader header = parse_header(header_bytes_, header_size_ + taken);
      if (header.size == 0) {
        header_size_ += taken;
        return;
      }
      data += header.size - header_size_;
      header_size_ = 0;
      begin_frame(header);
    }
    data += take_payload(data, static_cast<std::size_t>(end - data));
    if (payload_left_ != 0) return;
    end_frame(tally);
    frame_ = {};
  }
}

void LoadConnection::begin_frame(const FrameHeader& header) {
  frame_ = header;
  payload_left_ = header.payload;
  const auto opcode = header.first & opcode_bits;
  if (header.masked) fail("the server masks its frames");
  if (header.first & 0x70) fail("the server sets reserved bits");
  if (opcode >= close) {
    if (opcode > pong || header.payload > 125) fail("the server sends a malformed control frame");
    control_payload_.clear();
    return;
  }
  if (echoes_ == batch_.count) fail("more echoes than messages");
  if (opcode != (inside_message_ ? +continuation : batch_.opcode)) {
    fail("the echo of a " + std::string(batch_.opcode == text ? "text" : "binary") +
         " message has opcode " + std::to_string(opcode));
  }
  const bool last = (header.first & final_fragment) != 0;
  const std::uint64_t whole = echo_size_ + header.payload;
  if (whole > batch_.size || (last && whole != batch_.size)) {
    fail("the echo of " + std::to_string(batch_.size) + " bytes has " + (last ? "" : "more than ") +
         std::to_string(whole));
  }
}

std::size_t LoadConnection::take_payload(const char* data, std::size_t size) {
  const auto taken = static_cast<std::size_t>(std::min<std::uint64_t>(size, payload_left_));
  payload_left_ -= taken;
  if ((frame_.first & opcode_bits) >= close) {
    control_payload_.append(data, taken);
    return taken;
  }
  const bool compared = batch_.size <= always_compared || batches_ % compared_batches == 1;
  if (compared && taken != 0 &&
      std::memcmp(data, batch_.plain.data() + echoes_ * batch_.size + echo_size_, taken) != 0) {
    fail("an echo says something else than its message");
  }
  echo_size_ += taken;
  return taken;
}

void LoadConnection::end_frame(Tally& tally) {
  switch (frame_.first & opcode_bits) {
    case close:
      if (!hanging_up_) closed_by_server();
      close_answered_ = true;
      return;
    case ping: answers_ += masked_control(pong, control_payload_); return;
    case pong: return;
    default:
      inside_message_ = (frame_.first & final_fragment) == 0;
      if (inside_message_) return;
      echo_size_ = 0;
      ++echoes_;
      ++tally.messages;
  }
}

void LoadConnection::closed_by_server() const {
  if (control_payload_.size() < 2) fail("the server closed the connection");
  const auto code = big_endian(control_payload_.data(), 2);
  const auto reason = std::string_view(control_payload_).substr(2);
  fail("the server closed the connection: " + std::to_string(code) + " " + std::string(reason));
}

}  // namespace hotline::bench
