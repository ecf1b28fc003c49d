#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "batch.h"
#include "histogram.h"
#include "line.h"
#include "wire.h"

namespace hotline::bench {

using Clock = std::chrono::steady_clock;

// What all connections count together; `main` clears it when the measured window begins.
struct Tally {
  std::uint64_t messages = 0;
  Histogram round_trips;      // in ns, of a whole batch
  bool last_batches = false;  // a connection whose batch is complete starts no other
  std::size_t at_rest = 0;    // connections that have started no other
};

// Where to connect to; a loopback address and a path of ASCII.
struct Target {
  std::string host = "127.0.0.1";
  std::uint16_t port = 0;
  std::string path = "/echo";
  bool tls = false;
};

// One client: sends its batch, checks what comes back, and starts again. Whatever an echo should
// not do (another count, length, kind or content, a close, silence in the handshake) is thrown as a
// std::runtime_error that says so.
class LoadConnection {
 public:
  // Connects and shakes hands, blocking at most 5 s; from then on nothing blocks.
  LoadConnection(const Target& target, Batch batch);
  LoadConnection(const LoadConnection&) = delete;

  int descriptor() const { return line_.descriptor(); }

  void start_batch(Clock::time_point now);
  // Edge-triggered: reads until the socket is empty, and to its end where epoll says that the peer
  // has hung up; sends what is left to send.
  void ready(Tally& tally, std::span<char> buffer, bool hung_up);

  // Says goodbye and waits for its answer, blocking at most 5 s: what comes before it was too much.
  void hang_up(std::span<char> buffer);

 private:
  void connect_to(const Target& target);
  void shake_hands(const Target& target);
  void send_some();
  void consume(Tally& tally, const char* data, std::size_t size);
  void begin_frame(const FrameHeader& header);
  std::size_t take_payload(const char* data, std::size_t size);
  void end_frame(Tally& tally);
  [[noreturn]] void closed_by_server() const;

  Line line_;
  Batch batch_;
  std::size_t batches_ = 0;
  Clock::time_point started_;
  std::size_t sent_ = 0;  // of batch_.wire
  std::string answers_;   // pongs that wait for the end of the batch

  std::size_t echoes_ = 0;       // complete ones of this batch
  std::size_t echo_size_ = 0;    // what has come of the next
  bool inside_message_ = false;  // between its fragments
  char header_bytes_[longest_header];
  std::size_t header_size_ = 0;  // what has come of a header cut in two
  FrameHeader frame_;            // the frame whose payload is due; size 0 if none
  std::uint64_t payload_left_ = 0;
  std::string control_payload_;
  bool at_rest_ = false;
  bool hanging_up_ = false;
  bool close_answered_ = false;
};

}  // namespace hotline::bench
