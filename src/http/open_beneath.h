#pragma once

#include <sys/stat.h>

#include <string>
#include <utility>

namespace hotline::http {

/// A file descriptor, and what was found there.
class OpenFile {
 public:
  OpenFile() = default;
  OpenFile(int descriptor, const struct stat& status) noexcept
      : descriptor_(descriptor), status_(status) {}
  /// Could not be opened: an errno.
  explicit OpenFile(int error) noexcept : error_(error) {}
  OpenFile(OpenFile&& other) noexcept
      : descriptor_(std::exchange(other.descriptor_, -1)),
        error_(other.error_),
        status_(other.status_) {}
  OpenFile& operator=(OpenFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    error_ = other.error_;
    status_ = other.status_;
    return *this;
  }
  ~OpenFile();

  bool is_open() const noexcept { return descriptor_ >= 0; }
  bool is_regular() const noexcept { return is_open() && S_ISREG(status_.st_mode); }
  bool is_directory() const noexcept { return is_open() && S_ISDIR(status_.st_mode); }
  int error() const noexcept { return error_; }
  int descriptor() const noexcept { return descriptor_; }
  const struct stat& status() const noexcept { return status_; }

 private:
  int descriptor_ = -1;
  int error_ = 0;
  struct stat status_ = {};
};

/// How a name is kept from leaving its root.
enum class Beneath {
  kernel,         // openat2: symbolic links are followed as long as they stay below the root
  each_no_links,  // for kernels before 5.6: segment by segment, and no link is followed
};
/// What this kernel can do.
Beneath beneath_here() noexcept;

/// Opens for reading what stands at `name` below the directory `root`, without waiting: a FIFO has
/// no effect but its own. `name` is relative, without ".." and without NUL; "." is the root itself.
OpenFile open_beneath(const std::string& root, const std::string& name, Beneath how);

}  // namespace hotline::http
