#pragma once

#include <cstddef>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <system_error>

#include <boost/asio/posix/stream_descriptor.hpp>

#include <hotline/asio.h>
#include <hotline/base/task.h>
#include <hotline/net/task_group.h>

namespace hotline::tools {

/// A descriptor that the program was started with, used without ever blocking the loop, and without
/// others who share it (a shell) noticing: a pipe or terminal is opened once more, since O_NONBLOCK
/// belongs to the open file. Where that cannot be (a socket) the flag is set, and taken back by the
/// destructor. Regular files are read and written as they are.
///
/// Made in a Task that runs on a loop.
class Descriptor {
 public:
  enum class Use { read, write };

  Descriptor(int inherited, Use use);
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor();

  /// Never blocks, but for a regular file.
  int number() const noexcept { return descriptor_; }
  /// Until it can be read, or written.
  Task<> ready();
  /// Takes the flag back at once.
  void give_back() noexcept;

 private:
  void open_again(int inherited, Use use);

  int descriptor_ = -1;
  int inherited_ = -1;                                            // whose flags have been changed
  int flags_ = 0;                                                 // what they were
  std::optional<boost::asio::posix::stream_descriptor> waiting_;  // none: it is always ready
  Use use_;
};

/// Bytes from a descriptor.
class Input {
 public:
  explicit Input(int inherited) : descriptor_(inherited, Descriptor::Use::read) {}

  /// How many bytes were put there; 0 at the end. Throws
  /// std::system_error.
  Task<std::size_t> read_some(std::span<char> bytes);
  void give_back() noexcept { descriptor_.give_back(); }

 private:
  Descriptor descriptor_;
};

/// Bytes to a descriptor, in order. What it does not take at once waits in memory, and is written
/// as it can be; those who write much wait by drained().
class Output {
 public:
  explicit Output(int inherited) : descriptor_(inherited, Descriptor::Use::write) {}

  /// Dropped where the reader has gone.
  void put(std::string_view bytes);
  std::size_t waiting() const noexcept { return waiting_.size() - sent_; }
  /// Until at most `most` bytes wait, or nobody reads any more. Throws std::system_error where they
  /// could not be written (a full disk).
  Task<> drained(std::size_t most = 0);
  /// Nobody reads any more.
  bool is_broken() const noexcept { return broken_; }
  void give_back() noexcept { descriptor_.give_back(); }

 private:
  std::size_t write_some(std::string_view bytes);
  void write_waiting();
  Task<> pump();

  Descriptor descriptor_;
  std::string waiting_;
  std::size_t sent_ = 0;  // of waiting_
  bool broken_ = false;
  bool pumping_ = false;
  std::error_code failure_;
  TaskGroup group_;  // last: it uses the rest
};

}  // namespace hotline::tools
