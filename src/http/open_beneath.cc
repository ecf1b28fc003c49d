#include "http/open_beneath.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace hotline::http {
namespace {

constexpr int reading = O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
constexpr int passing = O_PATH | O_DIRECTORY | O_CLOEXEC;

class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { reset(-1); }

  int number() const noexcept { return number_; }
  void reset(int number) noexcept {
    if (number_ >= 0) ::close(number_);
    number_ = number;
  }
  int release() noexcept { return std::exchange(number_, -1); }

 private:
  int number_;
};

int open_by_kernel(int root, const char* name) noexcept {
  struct open_how how = {};
  how.flags = reading;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS;
  // EAGAIN: something was renamed meanwhile, so that the kernel cannot be sure.
  for (int tries = 0;; ++tries) {
    const auto result = ::syscall(SYS_openat2, root, name, &how, sizeof how);
    if (result >= 0 || errno != EAGAIN || tries == 8) return static_cast<int>(result);
  }
}

int open_each(int root, std::string name) noexcept {
  Descriptor directory{-1};
  int at = root;
  for (std::size_t begin = 0;;) {
    const auto slash = name.find('/', begin);
    if (slash == std::string::npos) {
      return ::openat(at, name.c_str() + begin, reading | O_NOFOLLOW);
    }
    name[slash] = '\0';
    directory.reset(::openat(at, name.c_str() + begin, passing | O_NOFOLLOW));
    at = directory.number();
    if (at < 0) return -1;
    begin = slash + 1;
  }
}

}  // namespace

OpenFile::~OpenFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Beneath beneath_here() noexcept {
  const Descriptor here{::open("/", passing)};
  const Descriptor probe{open_by_kernel(here.number(), ".")};
  return probe.number() >= 0 ? Beneath::kernel : Beneath::each_no_links;
}

OpenFile open_beneath(const std::string& root, const std::string& name, Beneath how) {
  const Descriptor directory{::open(root.c_str(), passing)};
  if (directory.number() < 0) return OpenFile{errno};
  Descriptor file{how == Beneath::kernel ? open_by_kernel(directory.number(), name.c_str())
                                         : open_each(directory.number(), name)};
  struct stat status = {};
  if (file.number() < 0 || ::fstat(file.number(), &status) != 0) return OpenFile{errno};
  return {file.release(), status};
}

}  // namespace hotline::http
