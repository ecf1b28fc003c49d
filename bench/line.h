#pragma once

#include <sys/types.h>

#include <span>
#include <string_view>

struct ssl_st;

namespace hotline::bench {

// A connected socket's bytes, in clear or by TLS; like recv() and send(), errno included.
class Line {
 public:
  Line() = default;
  Line(const Line&) = delete;
  Line& operator=(const Line&) = delete;
  ~Line();

  // Takes the descriptor over.
  void open(int descriptor) { descriptor_ = descriptor; }
  // Shakes hands, as whoever believes everybody. Throws std::runtime_error.
  void secure();
  int descriptor() const { return descriptor_; }
  void set_blocking(bool blocking);

  // Less than there is room for: there was no more.
  ssize_t receive(std::span<char> bytes);
  ssize_t send(std::string_view bytes);

 private:
  int descriptor_ = -1;
  bool blocking_ = true;
  ssl_st* ssl_ = nullptr;
};

}  // namespace hotline::bench
