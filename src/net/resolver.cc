#include "net/resolver.h"

#include <ares.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <chrono>
#include <deque>
#include <utility>

#include <hotline/base/error.h>

#include "net/loop.h"
#include "net/tcp_stream.h"

namespace hotline {
namespace {

// Of a name that has thousands the first are as good as the others.
constexpr std::size_t most_addresses = 16;

constexpr const char* no_answer = "the name servers cannot or will not tell";

std::string reason(int status) {
  switch (status) {
    case ARES_ENOTFOUND: return "there is no such name";
    case ARES_ENODATA: return "the name has no address";
    case ARES_ETIMEOUT: return "no name server answered in time";
    case ARES_ECONNREFUSED: return "no name server can be reached";
    case ARES_EBADNAME: return "this cannot be a name";
    default: return ::ares_strerror(status);
  }
}

[[noreturn]] void fail(const std::string& name, int status) {
  throw Error(Fault::name_not_found, escaped(name) + " (" + reason(status) + ")");
}

}  // namespace

// c-ares calls from within the calls that are made to it; what it says is passed on later, by the
// loop, so that whoever hears it may destroy the lookup.
class Lookup::Core final : private detail::Timer, private detail::Drainable {
 public:
  Core(Loop& loop, std::uint16_t port, NameListener& listener)
      : loop_(loop), port_(port), listener_(listener) {
    join(loop_);
  }
  Core(const Core&) = delete;
  Core& operator=(const Core&) = delete;
  ~Core() {
    if (delivery_.gone) *delivery_.gone = true;
    close();
  }

  void ask(const std::string& name, const ResolverOptions& options) {
    open(name, options);
    ares_addrinfo_hints hints{};
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = options.hosts_from_environment ? ARES_AI_ENVHOSTS : 0;
    for (auto* question : {&ipv6_, &ipv4_}) {
      hints.ai_family = question->family == Family::ipv6 ? AF_INET6 : AF_INET;
      ::ares_getaddrinfo(channel_, name.c_str(), nullptr, &hints, &Core::on_answer, question);
    }
    arm();
  }

 private:
  struct Question {
    Core& core;
    Family family;
  };

  // One of c-ares' sockets. The stream, which only waits, has a descriptor of its own of it:
  // c-ares closes its own when it likes.
  class Watch final : public Waiter {
   public:
    Watch(Core& core, ares_socket_t socket, StreamPointer stream)
        : core_(core), socket_(socket), stream_(std::move(stream)) {}
    Watch(const Watch&) = delete;
    Watch& operator=(const Watch&) = delete;
    ~Watch() { stream_->cancel_wait(*this); }

    ares_socket_t socket() const noexcept { return socket_; }
    void wait(bool readable, bool writable) noexcept {
      stream_->cancel_wait(*this);
      if (readable) stream_->wait_readable(*this);
      if (writable) stream_->wait_writable(*this);
      readable_ = readable;
      writable_ = writable;
    }
    void rearm() noexcept { wait(readable_, writable_); }

   private:
    // Whether it is one or the other, c-ares finds out.
    void ready() noexcept override { core_.process(socket_); }

    Core& core_;
    ares_socket_t socket_;
    StreamPointer stream_;
    bool readable_ = false;
    bool writable_ = false;
  };

  class Delivery final : public detail::Timer {
   public:
    explicit Delivery(Core& core) : core_(core) {}
    bool* gone = nullptr;  // in the frame of whoever passes answers on

   private:
    void expired() noexcept override { core_.deliver(); }
    Core& core_;
  };

  void open(const std::string& name, const ResolverOptions& options) {
    static const int library = ::ares_library_init(ARES_LIB_INIT_ALL);
    if (library != ARES_SUCCESS) fail(name, library);
    if (name.find('\0') != std::string::npos) fail(name, ARES_EBADNAME);
    ares_options settings{};
    int mask = ARES_OPT_SOCK_STATE_CB;
    settings.sock_state_cb = &Core::on_socket;
    settings.sock_state_cb_data = this;
    if (options.timeout > Duration{}) {
      mask |= ARES_OPT_TIMEOUTMS;
      settings.timeout = static_cast<int>(options.timeout / std::chrono::milliseconds(1));
    }
    if (options.tries > 0) {
      mask |= ARES_OPT_TRIES;
      settings.tries = options.tries;
    }
    if (const auto status = ::ares_init_options(&channel_, &settings, mask);
        status != ARES_SUCCESS) {
      channel_ = nullptr;
      fail(name, status);
    }
    if (options.servers.empty()) return;
    if (const auto status = ::ares_set_servers_ports_csv(channel_, options.servers.c_str());
        status != ARES_SUCCESS) {
      fail(name, status);
    }
  }

  static void on_answer(void* argument, int status, int, ares_addrinfo* result) {
    auto& [core, family] = *static_cast<Question*>(argument);
    core.keep(family, status, result);
    if (result) ::ares_freeaddrinfo(result);
  }

  void keep(Family family, int status, const ares_addrinfo* result) {
    if (closing_) return;
    NameAnswer answer;
    for (auto* node = result ? result->nodes : nullptr;
         node && answer.addresses.size() < most_addresses; node = node->ai_next) {
      const auto address = Address::from(*node->ai_addr);
      const auto given = Address::from_bytes(address.bytes(), port_);
      if (!given.empty() && std::ranges::find(answer.addresses, given) == answer.addresses.end()) {
        answer.addresses.push_back(given);
      }
    }
    if (answer.addresses.empty()) {
      answer.failure = reason(status == ARES_SUCCESS ? ARES_ENODATA : status);
      // c-ares 1.18 says so, too, where whoever is there cannot or will not tell.
      if (status == ARES_ECONNREFUSED && heard_) answer.failure = no_answer;
    }
    answers_.emplace_back(family, std::move(answer));
    delivery_.set(loop_, loop_.now());
  }

  void deliver() noexcept {
    bool gone = false;
    delivery_.gone = &gone;
    while (!answers_.empty()) {
      auto [family, answer] = std::move(answers_.front());
      answers_.pop_front();
      listener_.answered(family, std::move(answer));
      if (gone) return;
    }
    delivery_.gone = nullptr;
  }

  static void on_socket(void* argument, ares_socket_t socket, int readable, int writable) {
    static_cast<Core*>(argument)->watch(socket, readable != 0, writable != 0);
  }

  void watch(ares_socket_t socket, bool readable, bool writable) {
    const auto of_socket = [socket](const auto& watch) { return watch->socket() == socket; };
    auto found = std::ranges::find_if(watches_, of_socket);
    if (!readable && !writable) {
      if (found == watches_.end()) return;
      // It may be the one that has called.
      ended_.push_back(std::move(*found));
      watches_.erase(found);
      return;
    }
    if (found == watches_.end()) {
      const int own = ::fcntl(socket, F_DUPFD_CLOEXEC, 0);
      if (own < 0) return;  // c-ares' time limit ends it
      watches_.push_back(
          std::make_unique<Watch>(*this, socket, TcpStream::adopt(loop_, own, {}, {})));
      found = std::prev(watches_.end());
    }
    (*found)->wait(readable, writable);
  }

  void process(ares_socket_t socket) noexcept {
    int size = 0;
    if (socket != ARES_SOCKET_BAD && ::ioctl(socket, FIONREAD, &size) == 0 && size > 0) {
      heard_ = true;
    }
    ::ares_process_fd(channel_, socket, socket);
    for (const auto& watch : watches_) {
      if (watch->socket() == socket) watch->rearm();
    }
    arm();
    ended_.clear();  // last: the caller may be among them
  }

  void arm() noexcept {
    timeval left{};
    if (!::ares_timeout(channel_, nullptr, &left)) return cancel();
    // Its own clock decides; a little later it has surely passed.
    using namespace std::chrono;
    set(loop_, loop_.now() + seconds(left.tv_sec) + microseconds(left.tv_usec) + milliseconds(1));
  }

  void expired() noexcept override { process(ARES_SOCKET_BAD); }
  void drain() noexcept override {}  // whoever waits for it hears of that
  void abandon() noexcept override { close(); }

  void close() noexcept {
    closing_ = true;
    leave();
    cancel();
    delivery_.cancel();
    if (channel_) ::ares_destroy(std::exchange(channel_, nullptr));
    watches_.clear();
    ended_.clear();
  }

  Loop& loop_;
  std::uint16_t port_;
  NameListener& listener_;
  ares_channel channel_ = nullptr;
  Question ipv6_{*this, Family::ipv6};
  Question ipv4_{*this, Family::ipv4};
  std::vector<std::unique_ptr<Watch>> watches_;
  std::vector<std::unique_ptr<Watch>> ended_;
  std::deque<std::pair<Family, NameAnswer>> answers_;
  Delivery delivery_{*this};
  bool heard_ = false;  // of a name server
  bool closing_ = false;
};

Lookup::Lookup(Loop& loop, const std::string& name, std::uint16_t port, NameListener& listener,
               const ResolverOptions& options)
    : core_(std::make_unique<Core>(loop, port, listener)) {
  core_->ask(name, options);
}

Lookup::~Lookup() = default;

bool is_localhost(std::string_view name) noexcept {
  if (name.ends_with('.')) name.remove_suffix(1);
  constexpr std::string_view local = "localhost";
  if (name.size() < local.size()) return false;
  const auto rest = name.size() - local.size();
  if (rest > 0 && name[rest - 1] != '.') return false;
  return std::ranges::equal(name.substr(rest), local, [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a + ('a' - 'A')) : a) == b;
  });
}

}  // namespace hotline
