#include "tools/descriptor.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

namespace hotline::tools {
namespace {

// Whether it can be waited for at all: regular files and the like are always ready.
bool can_wait(int descriptor) {
  struct stat facts{};
  if (::fstat(descriptor, &facts) != 0) return false;
  if (S_ISCHR(facts.st_mode)) return ::isatty(descriptor) != 0;
  return S_ISFIFO(facts.st_mode) || S_ISSOCK(facts.st_mode);
}

std::error_code last_error() { return {errno, std::system_category()}; }

}  // namespace

Descriptor::Descriptor(int inherited, Use use) : use_(use) {
  if (!can_wait(inherited)) {
    descriptor_ = inherited;
    return;
  }
  open_again(inherited, use);
  waiting_.emplace(this_loop_context(), descriptor_);
}

void Descriptor::open_again(int inherited, Use use) {
  const auto path = "/proc/self/fd/" + std::to_string(inherited);
  const int mode = use == Use::read ? O_RDONLY : O_WRONLY;
  descriptor_ = ::open(path.c_str(), mode | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (descriptor_ >= 0) return;
  descriptor_ = ::fcntl(inherited, F_DUPFD_CLOEXEC, 3);
  if (descriptor_ < 0)
    throw std::system_error(last_error(), "descriptor " + std::to_string(inherited));
  flags_ = ::fcntl(inherited, F_GETFL);
  if (flags_ >= 0 && (flags_ & O_NONBLOCK) == 0 &&
      ::fcntl(inherited, F_SETFL, flags_ | O_NONBLOCK) == 0) {
    inherited_ = inherited;
  }
}

Descriptor::~Descriptor() { give_back(); }

void Descriptor::give_back() noexcept {
  if (inherited_ >= 0) ::fcntl(inherited_, F_SETFL, flags_);
  inherited_ = -1;
}

Task<> Descriptor::ready() {
  if (!waiting_) co_return;
  using boost::asio::posix::descriptor_base;
  const auto what =
      use_ == Use::read ? descriptor_base::wait_type::wait_read : descriptor_base::wait_write;
  co_await waiting_->async_wait(what, use_task);
}

Task<std::size_t> Input::read_some(std::span<char> bytes) {
  for (;;) {
    const auto size = ::read(descriptor_.number(), bytes.data(), bytes.size());
    if (size >= 0) co_return static_cast<std::size_t>(size);
    // A terminal that has been hung up is at its end.
    if (errno == EIO) co_return 0;
    if (errno == EAGAIN) {
      co_await descriptor_.ready();
    } else if (errno != EINTR) {
      throw std::system_error(last_error(), "the input cannot be read");
    }
  }
}

void Output::put(std::string_view bytes) {
  if (broken_) return;
  if (waiting() == 0) bytes.remove_prefix(write_some(bytes));
  if (bytes.empty() || broken_) return;
  waiting_ += bytes;
  if (!pumping_) {
    pumping_ = true;
    group_.spawn(pump());
  }
}

std::size_t Output::write_some(std::string_view bytes) {
  std::size_t written = 0;
  while (written < bytes.size()) {
    const auto size = ::write(descriptor_.number(), bytes.data() + written, bytes.size() - written);
    if (size >= 0) {
      written += static_cast<std::size_t>(size);
    } else if (errno == EAGAIN) {
      break;
    } else if (errno != EINTR) {
      if (errno != EPIPE && errno != EIO) failure_ = last_error();
      broken_ = true;
      break;
    }
  }
  return written;
}

void Output::write_waiting() {
  sent_ += write_some(std::string_view{waiting_}.substr(sent_));
  if (broken_ || waiting() == 0) {
    waiting_.clear();
    sent_ = 0;
  } else if (sent_ > waiting_.size() / 2) {
    waiting_.erase(0, sent_);
    sent_ = 0;
  }
}

Task<> Output::drained(std::size_t most) {
  while (waiting() > most && !broken_) {
    co_await descriptor_.ready();
    write_waiting();
  }
  if (failure_) throw std::system_error(failure_, "the output cannot be written");
}

Task<> Output::pump() {
  while (waiting() > 0 && !broken_) {
    co_await descriptor_.ready();
    write_waiting();
  }
  pumping_ = false;
}

}  // namespace hotline::tools
