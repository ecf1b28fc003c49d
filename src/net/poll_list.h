#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace hotline {

class Loop;
class TcpStream;

/// Whether it pays to try a socket when its loop comes round again, rather than to have epoll say
/// when it is readable. It does where the peer has mostly sent more by then, as on a busy loop with
/// many connections: what is found saves an epoll_ctl and an operation of Asio's. (Asio hears of
/// the bytes all the same, and finds nobody who waits.) A try in vain costs a recv and all around
/// it; and on a loop with little else to do, a try finds less at a time than epoll would bring.
class PollOdds {
 public:
  // So often epoll is asked before a try.
  static constexpr std::uint8_t waits = 32;

  bool favourable() const noexcept { return score_ >= waits; }
  /// Epoll was asked.
  void waited() noexcept { ++score_; }
  void found() noexcept {
    if (score_ < most) ++score_;
  }
  /// Two of three are to find something.
  void missed() noexcept { score_ = score_ >= waits + 2 ? score_ - 2 : 0; }

 private:
  static constexpr std::uint8_t most = waits + 16;

  std::uint8_t score_ = 0;
};

/// The streams that are tried when the loop comes round again, in their order.
class PollList {
 public:
  explicit PollList(Loop& loop);
  PollList(const PollList&) = delete;
  PollList& operator=(const PollList&) = delete;

  /// Calls `stream.polled()`, once, from the loop; or poll_abandoned(), in abandon(). False, behind
  /// that: it does neither.
  bool add(TcpStream& stream) noexcept;
  /// A waiter of the loop is told that its stream may be readable.
  void told() noexcept { ++told_; }
  /// For the end of the loop.
  void abandon() noexcept;

 private:
  // As many as Asio takes from epoll at once: then others have their turn.
  static constexpr std::size_t batch = 128;
  // So many others are told between a wait and its poll, at least, where a poll pays.
  static constexpr std::uint32_t company = 8;

  struct Entry {
    TcpStream* stream;
    std::uint32_t told;  // before it
  };

  void post() noexcept;
  void run() noexcept;

  Loop& loop_;
  // What is posted may outlive the list, in a context of somebody else's: null from abandon() on.
  std::shared_ptr<PollList*> self_;
  bool posted_ = false;
  std::uint32_t told_ = 0;
  std::size_t next_ = 0;
  std::vector<Entry> due_;    // from next_ on
  std::vector<Entry> added_;  // behind those
};

}  // namespace hotline
