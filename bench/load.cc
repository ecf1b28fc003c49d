// The load generator: one thread, N connections, each of which sends a batch of K messages by one
// send, waits for all their echoes, and sends the next.
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <system_error>
#include <vector>

#include "arguments.h"
#include "load_connection.h"

namespace hotline::bench {
namespace {

constexpr const char* usage =
    R"(usage: bench_load --port PORT [options]
  --host ADDRESS      IPv4 address of the server (127.0.0.1)
  --path PATH         of the echo (/echo)
  --tls               of which nobody's certificate is looked at
  --connections N     (1)
  --in-flight K       messages a connection sends before it waits for their echoes (1)
  --size BYTES        of each message (32)
  --binary            binary messages (the default)
  --text [utf8]       text: ASCII, or characters of two and three bytes
  --warmup S          seconds before measuring (0.2)
  --seconds S         seconds measured (1)
  --pid PID           of the server: its CPU time is reported
  --spin              poll without sleeping
  --json              report as JSON
)";

struct Options {
  Target target;
  std::size_t connections = 1;
  std::size_t in_flight = 1;
  std::size_t size = 32;
  Payload payload = Payload::binary;
  double warmup = 0.2;
  double seconds = 1;
  int pid = 0;
  bool spin = false;
  bool json = false;
};

Options parse(int count, char** values) {
  Arguments arguments(count, values);
  if (arguments.flag("--help")) {
    std::fputs(usage, stdout);
    std::exit(0);
  }
  Options options;
  options.target.port = arguments.number<std::uint16_t>("--port", 0);
  options.target.host = arguments.value("--host").value_or(options.target.host);
  options.target.path = arguments.value("--path").value_or(options.target.path);
  options.target.tls = arguments.flag("--tls");
  options.connections = arguments.number("--connections", options.connections);
  options.in_flight = arguments.number("--in-flight", options.in_flight);
  options.size = arguments.number("--size", options.size);
  options.warmup = arguments.number("--warmup", options.warmup);
  options.seconds = arguments.number("--seconds", options.seconds);
  options.pid = arguments.number("--pid", options.pid);
  options.spin = arguments.flag("--spin");
  options.json = arguments.flag("--json");
  const bool is_binary = arguments.flag("--binary");
  if (arguments.flag("--text")) {
    if (is_binary) throw std::runtime_error("--text or --binary, not both");
    options.payload = arguments.flag("utf8") ? Payload::utf8 : Payload::ascii;
  }
  arguments.finish();
  if (options.target.port == 0) throw std::runtime_error("--port is needed; see --help");
  if (options.connections == 0 || options.in_flight == 0 || options.seconds == 0) {
    throw std::runtime_error("--connections, --in-flight and --seconds must not be 0");
  }
  return options;
}

// Of all threads of a process, in ns: the first two numbers of each schedstat.
struct Scheduled {
  std::uint64_t running = 0;
  std::uint64_t waiting = 0;  // ready to run, but the core was another's

  Scheduled operator-(const Scheduled& before) const {
    return {running - before.running, waiting - before.waiting};
  }
};

Scheduled scheduled(int pid) {
  const std::string tasks = "/proc/" + std::to_string(pid) + "/task";
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(tasks.c_str()), ::closedir);
  if (!directory) throw std::system_error(errno, std::generic_category(), "cannot read " + tasks);
  Scheduled sum;
  while (const dirent* const entry = ::readdir(directory.get())) {
    if (entry->d_name[0] == '.') continue;
    std::ifstream schedstat(tasks + "/" + entry->d_name + "/schedstat");
    Scheduled thread;
    if (!(schedstat >> thread.running >> thread.waiting)) continue;
    sum.running += thread.running;
    sum.waiting += thread.waiting;
  }
  return sum;
}

struct Result {
  Tally tally;
  double seconds = 0;
  std::optional<Scheduled> server;
  Scheduled self;
};

void raise_descriptor_limit() {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

Clock::duration seconds(double count) {
  return std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(count));
}

class Load {
 public:
  explicit Load(const Options& options) : options_(options), poll_(::epoll_create1(EPOLL_CLOEXEC)) {
    if (poll_ < 0) throw std::system_error(errno, std::generic_category(), "epoll_create1");
    for (std::size_t i = 0; i < options.connections; ++i) {
      auto& connection = connections_.emplace_back(
          options.target, make_batch(options.payload, options.size, options.in_flight, i));
      epoll_event event{};
      event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
      event.data.ptr = &connection;
      if (::epoll_ctl(poll_, EPOLL_CTL_ADD, connection.descriptor(), &event) < 0) {
        throw std::system_error(errno, std::generic_category(), "epoll_ctl");
      }
    }
  }

  Load(const Load&) = delete;
  ~Load() { ::close(poll_); }

  Result run() {
    last_progress_ = Clock::now();
    for (auto& connection : connections_) connection.start_batch(Clock::now());
    run_until(Clock::now() + seconds(options_.warmup));

    Result result;
    tally_.messages = 0;
    tally_.round_trips = {};
    const auto server_before = server();
    const auto self_before = scheduled(::getpid());
    const auto begin = Clock::now();
    const auto end = run_until(begin + seconds(options_.seconds));
    const auto server_after = server();
    result.self = scheduled(::getpid()) - self_before;
    result.tally = tally_;
    result.seconds = std::chrono::duration<double>(end - begin).count();
    if (server_before) result.server = *server_after - *server_before;
    if (tally_.messages == 0) throw std::runtime_error("no echo came while measuring");

    finish();
    return result;
  }

 private:
  std::optional<Scheduled> server() const {
    if (options_.pid == 0) return std::nullopt;
    return scheduled(options_.pid);
  }

  Clock::time_point run_until(Clock::time_point deadline) {
    for (;;) {
      const auto now = Clock::now();
      if (now >= deadline) return now;
      turn(now);
    }
  }

  void turn(Clock::time_point now) {
    std::array<epoll_event, 256> events;
    const auto before = tally_.messages;
    const int count =
        ::epoll_wait(poll_, events.data(), static_cast<int>(events.size()), options_.spin ? 0 : 10);
    for (int i = 0; i < count; ++i) {
      auto& event = events[static_cast<std::size_t>(i)];
      const bool hung_up = (event.events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
      static_cast<LoadConnection*>(event.data.ptr)->ready(tally_, buffer_, hung_up);
    }
    if (tally_.messages != before) {
      last_progress_ = now;
    } else if (now - last_progress_ > std::chrono::seconds(10)) {
      throw std::runtime_error("no echo for 10 s");
    }
  }

  // Lets all batches end and hangs up, so that the server neither loses nor invents a message.
  void finish() {
    tally_.last_batches = true;
    while (tally_.at_rest < connections_.size()) turn(Clock::now());
    for (auto& connection : connections_) connection.hang_up(buffer_);
  }

  const Options& options_;
  int poll_;
  std::deque<LoadConnection> connections_;
  Tally tally_;
  std::vector<char> buffer_ = std::vector<char>(256 * 1024);
  Clock::time_point last_progress_;
};

void report(const Options& options, const Result& result) {
  const auto messages = static_cast<double>(result.tally.messages);
  const double rate = messages / result.seconds;
  const double megabytes = rate * static_cast<double>(options.size) / 1e6;
  const auto microseconds = [&](double share) {
    return static_cast<double>(result.tally.round_trips.percentile(share)) / 1e3;
  };
  const char* const kind = options.payload == Payload::binary  ? "binary"
                           : options.payload == Payload::ascii ? "text"
                                                               : "utf8";
  const auto share = [&](std::uint64_t time) {
    return static_cast<double>(time) / result.seconds / 1e9;
  };
  const Scheduled server = result.server.value_or(Scheduled{});
  const double cpu = static_cast<double>(server.running) / messages;
  if (!options.json) {
    std::printf("%zu x %zu x %zu B %s: %.0f messages/s, %.1f MB/s, ", options.connections,
                options.in_flight, options.size, kind, rate, megabytes);
    std::printf("batch p50 %.1f p90 %.1f p99 %.1f us", microseconds(0.5), microseconds(0.9),
                microseconds(0.99));
    if (result.server) {
      std::printf(", server CPU %.0f ns/message (%.0f %% busy)", cpu, share(server.running) * 100);
    }
    std::printf("\n");
    return;
  }
  std::printf("{\"connections\": %zu, \"in_flight\": %zu, \"size\": %zu, \"kind\": \"%s\", ",
              options.connections, options.in_flight, options.size, kind);
  std::printf("\"seconds\": %.9f, \"messages\": %.0f, \"messages_per_second\": %.1f, ",
              result.seconds, messages, rate);
  std::printf("\"megabytes_per_second\": %.3f, ", megabytes);
  std::printf("\"round_trip_us\": {\"p50\": %.1f, \"p90\": %.1f, \"p99\": %.1f}, ",
              microseconds(0.5), microseconds(0.9), microseconds(0.99));
  if (result.server) {
    std::printf("\"server_cpu_ns_per_message\": %.1f, \"server_busy\": %.3f, ", cpu,
                share(server.running));
    std::printf("\"server_waited\": %.3f, ", share(server.waiting));
  } else {
    std::printf("\"server_cpu_ns_per_message\": null, \"server_busy\": null, ");
    std::printf("\"server_waited\": null, ");
  }
  std::printf("\"load_waited\": %.3f}\n", share(result.self.waiting));
}

}  // namespace
}  // namespace hotline::bench

int main(int argc, char** argv) {
  try {
    const auto options = hotline::bench::parse(argc, argv);
    hotline::bench::raise_descriptor_limit();
    hotline::bench::report(options, hotline::bench::Load(options).run());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "bench_load: %s\n", error.what());
    return 1;
  }
}
