#include "net/resolver.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include <array>
#include <atomic>
#include <cstdlib>
#include <fstream>
#include <map>
#include <optional>
#include <thread>

#include <hotline/base/error.h>
#include <hotline/net/deadline.h>
#include <hotline/net/run.h>

#include "net/connector.h"
#include "net/net_fixture.h"
#include "net/socket.h"

namespace hotline {
namespace {

enum class Rcode : std::uint8_t { ok = 0, server_failure = 2, no_such_name = 3, refused = 5 };

/// What a name server says of a name.
struct Zone {
  std::vector<std::string> addresses = {};  // of both families
  Rcode rcode = Rcode::ok;
  bool silent = false;
  bool only_by_tcp = false;
};

void put16(std::string& bytes, unsigned number) {
  bytes += static_cast<char>(number >> 8);
  bytes += static_cast<char>(number & 0xff);
}

/// A name server on loopback, by UDP and TCP, in a thread of its own.
class NameServer {
 public:
  explicit NameServer(std::map<std::string, Zone> zones) : zones_(std::move(zones)) {
    udp_ = Socket{::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0)};
    sockaddr_in at{};
    at.sin_family = AF_INET;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    at.sin_port = htons(local_address(tcp_.get()).port());
    EXPECT_EQ(::bind(udp_.get(), reinterpret_cast<const sockaddr*>(&at), sizeof at), 0);
    EXPECT_EQ(::listen(tcp_.get(), 8), 0);
    thread_ = std::thread{[this] { serve(); }};
  }
  ~NameServer() { end(); }

  std::string place() const { return local_address(udp_.get()).to_string(); }
  /// `timeout`: by default one that no answer takes.
  ResolverOptions options(Duration timeout = 20s) const {
    return {.servers = place(), .timeout = timeout, .tries = 2};
  }
  /// How many it was asked in all; it ends.
  int questions() {
    end();
    return questions_;
  }
  /// Waits until it has closed what it had open for the one who was answered.
  void settle() const { busy_.wait(true); }

 private:
  void end() {
    if (!thread_.joinable()) return;
    ::eventfd_write(stop_.get(), 1);
    thread_.join();
  }

  void serve() {
    for (;;) {
      std::array<pollfd, 3> waits{
          {{udp_.get(), POLLIN, 0}, {tcp_.get(), POLLIN, 0}, {stop_.get(), POLLIN, 0}}};
      ::poll(waits.data(), waits.size(), -1);
      if (waits[0].revents != 0) {
        by_udp();
      } else if (waits[1].revents != 0) {
        busy_ = true;
        by_tcp();
        busy_ = false;
        busy_.notify_all();
      } else {
        return;  // and nothing is left that came before
      }
    }
  }

  void by_udp() {
    char bytes[512];
    sockaddr_in from{};
    socklen_t size = sizeof from;
    const auto count =
        ::recvfrom(udp_.get(), bytes, sizeof bytes, 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (count < 12) return;
    const auto answer = answer_to({bytes, static_cast<std::size_t>(count)}, false);
    if (answer.empty()) return;
    ::sendto(udp_.get(), answer.data(), answer.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
  }

  void by_tcp() {
    const Socket peer{::accept4(tcp_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
    const timeval patience{20, 0};
    ::setsockopt(peer.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    for (;;) {
      unsigned char size[2];
      if (::recv(peer.get(), size, 2, MSG_WAITALL) != 2) return;
      std::string question(static_cast<std::size_t>(size[0] << 8 | size[1]), '\0');
      if (::recv(peer.get(), question.data(), question.size(), MSG_WAITALL) !=
          std::ssize(question)) {
        return;
      }
      const auto answer = answer_to(question, true);
      std::string bytes;
      put16(bytes, static_cast<unsigned>(answer.size()));
      bytes += answer;
      ::send(peer.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    }
  }

  // RFC 1035 4.1: the header, the question as it came, and a record for each address.
  std::string answer_to(std::string_view question, bool tcp) {
    ++questions_;
    std::string name;
    std::size_t at = 12;
    while (question[at] != '\0') {
      const auto label = static_cast<unsigned char>(question[at]);
      if (!name.empty()) name += '.';
      name += question.substr(at + 1, label);
      at += label + 1;
    }
    const bool wants_ipv6 = question[at + 2] == 28;
    const auto found = zones_.find(name);
    const auto zone = found == zones_.end() ? Zone{.rcode = Rcode::no_such_name} : found->second;
    if (zone.silent) return {};
    const bool truncated = zone.only_by_tcp && !tcp;
    std::string records;
    unsigned count = 0;
    for (const auto& text : zone.addresses) {
      const auto address = *Address::parse(text, 0);
      if (truncated || address.is_ipv6() != wants_ipv6) continue;
      put16(records, 0xc00c);  // the name of the question
      put16(records, wants_ipv6 ? 28 : 1);
      put16(records, 1);
      put16(records, 0);
      put16(records, 60);
      put16(records, static_cast<unsigned>(address.bytes().size()));
      records += address.bytes();
      ++count;
    }
    std::string answer{question.substr(0, 2)};
    put16(answer, 0x8180u | (truncated ? 0x200u : 0u) | static_cast<unsigned>(zone.rcode));
    put16(answer, 1);
    put16(answer, count);
    put16(answer, 0);
    put16(answer, 0);
    answer += question.substr(12, at + 5 - 12);
    return answer + records;
  }

  std::map<std::string, Zone> zones_;
  Socket tcp_ = bind_tcp(*Address::parse("127.0.0.1", 0), false);
  Socket udp_;
  Socket stop_{::eventfd(0, EFD_CLOEXEC)};
  int questions_ = 0;  // the thread's own while it runs
  std::atomic<bool> busy_ = false;
  std::thread thread_;
};

/// Hears a lookup's both answers, as "IPv6: ...; IPv4: ...".
class Hearing final : public NameListener {
 public:
  std::string text() const { return answers_[1] + "; " + answers_[0]; }
  bool complete() const { return heard_ == 2; }

  bool await_ready() const noexcept { return complete(); }
  template <detail::TaskPromise Promise>
  void await_suspend(std::coroutine_handle<Promise> handle) noexcept {
    resumption_ = detail::Resumption{handle};
  }
  void await_resume() const noexcept {}

 private:
  void answered(Family family, NameAnswer answer) noexcept override {
    auto& text = answers_[static_cast<std::size_t>(family)];
    EXPECT_EQ(text, "") << "told twice";
    for (const auto& address : answer.addresses) {
      text += (text.empty() ? "" : " ") + address.to_string();
    }
    text += answer.failure;
    if (++heard_ == 2 && resumption_) resumption_.resume();
  }

  std::string answers_[2];
  int heard_ = 0;
  detail::Resumption resumption_;
};

Task<std::string> look_up(std::string name, ResolverOptions options) {
  Hearing hearing;
  const Lookup lookup{Loop::require(), name, 80, hearing, options};
  co_await hearing;
  co_return hearing.text();
}

std::string found(const NameServer& server, const std::string& name,
                  const ResolverOptions& options) {
  const auto before = open_descriptors();
  auto text = run(look_up(name, options));
  server.settle();
  EXPECT_EQ(open_descriptors(), before);
  return text;
}

std::string found(const NameServer& server, const std::string& name) {
  return found(server, name, server.options());
}

TEST(Lookup, gives_the_addresses_of_both_families) {
  const NameServer server{{{"both.test", {{"192.0.2.1", "192.0.2.2", "2001:db8::1"}}}}};
  const auto text = found(server, "both.test.");
  EXPECT_TRUE(text == "[2001:db8::1]:80; 192.0.2.1:80 192.0.2.2:80" ||
              text == "[2001:db8::1]:80; 192.0.2.2:80 192.0.2.1:80")
      << text;
}

TEST(Lookup, tells_that_a_family_has_no_address) {
  const NameServer server{{{"four.test", {{"192.0.2.1"}}}, {"none.test", {}}}};
  EXPECT_EQ(found(server, "four.test."), "the name has no address; 192.0.2.1:80");
  EXPECT_EQ(found(server, "none.test."), "the name has no address; the name has no address");
}

TEST(Lookup, tells_why_there_is_no_answer) {
  const NameServer server{{{"failing.test", {.rcode = Rcode::server_failure}},
                           {"refused.test", {.rcode = Rcode::refused}}}};
  EXPECT_EQ(found(server, "missing.test."), "there is no such name; there is no such name");
  for (const auto* name : {"failing.test.", "refused.test."}) {
    const std::string silence = "the name servers cannot or will not tell";
    EXPECT_EQ(found(server, name), silence + "; " + silence) << name;
  }
  auto options = server.options();
  options.servers =
      local_address(bind_tcp(*Address::parse("127.0.0.1", 0), false).get()).to_string();
  const std::string nobody = "no name server can be reached";
  EXPECT_EQ(found(server, "both.test.", options), nobody + "; " + nobody);
  EXPECT_EQ(found(server, "a..test."), "this cannot be a name; this cannot be a name");
}

TEST(Lookup, goes_on_by_tcp_where_an_answer_is_too_long) {
  const NameServer server{{{"long.test", {{"192.0.2.1", "2001:db8::1"}, Rcode::ok, false, true}}}};
  EXPECT_EQ(found(server, "long.test."), "[2001:db8::1]:80; 192.0.2.1:80");
}

TEST(Lookup, asks_again_and_gives_up_when_a_server_is_silent) {
  NameServer server{{{"silent.test", {.silent = true}}}};
  const std::string late = "no name server answered in time";
  EXPECT_EQ(found(server, "silent.test.", server.options(50ms)), late + "; " + late);
  EXPECT_EQ(server.questions(), 4) << "two tries for each family";
}

TEST(Lookup, asks_another_server_when_nobody_is_there) {
  const NameServer server{{{"four.test", {{"192.0.2.1"}}}}};
  // The second question is refused in place of the first, which waits for its time limit.
  auto options = server.options(200ms);
  const auto nobody = local_address(bind_tcp(*Address::parse("127.0.0.1", 0), false).get());
  options.servers = nobody.to_string() + "," + server.place();
  EXPECT_EQ(found(server, "four.test.", options), "the name has no address; 192.0.2.1:80");
}

TEST(Lookup, takes_only_the_first_of_very_many_addresses) {
  Zone zone;
  for (int i = 1; i <= 30; ++i) zone.addresses.push_back("192.0.2." + std::to_string(i));
  const NameServer server{{{"many.test", zone}}};
  const auto text = found(server, "many.test.");
  EXPECT_EQ(std::ranges::count(text, ':'), 16) << text;
}

TEST(Lookup, looks_into_the_file_of_hosts_first) {
  const auto file = ::testing::TempDir() + "hotline-resolver-hosts";
  std::ofstream{file} << "192.0.2.7 filed.test\n2001:db8::7 filed.test\n";
  ::setenv("CARES_HOSTS", file.c_str(), 1);
  NameServer server{{}};
  auto options = server.options();
  options.hosts_from_environment = true;
  EXPECT_EQ(found(server, "filed.test", options), "[2001:db8::7]:80; 192.0.2.7:80");
  EXPECT_EQ(server.questions(), 0);
  ::unsetenv("CARES_HOSTS");
}

Task<bool> give_up(Task<std::string> task) {
  auto limited = deadline(10ms, std::move(task));
  try {
    co_await limited;
  } catch (const Error& error) {
    co_return error.is(Condition::timed_out);
  }
  co_return false;
}

TEST(Lookup, can_be_given_up) {
  const NameServer server{{{"silent.test", {.silent = true}}}};
  const auto before = open_descriptors();
  EXPECT_TRUE(run(give_up(look_up("silent.test.", server.options()))));
  EXPECT_EQ(open_descriptors(), before);
}

TEST(Lookup, ends_with_its_loop) {
  const NameServer server{{{"silent.test", {.silent = true}}}};
  const auto before = open_descriptors();
  Hearing hearing;
  std::optional<Lookup> lookup;
  {
    Loop loop;
    const Turn turn{loop};
    lookup.emplace(loop, "silent.test.", 80, hearing, server.options());
    EXPECT_GT(open_descriptors(), before);
  }
  EXPECT_EQ(open_descriptors(), before);
  lookup.reset();
  EXPECT_FALSE(hearing.complete());
}

TEST(Localhost, is_known_without_asking) {
  for (const auto* name :
       {"localhost", "LocalHost", "localhost.", "a.localhost", "b.a.localhost."}) {
    EXPECT_TRUE(is_localhost(name)) << name;
  }
  for (const auto* name : {"", ".", "localhost.test", "notlocalhost", "local", "localhost.."}) {
    EXPECT_FALSE(is_localhost(name)) << name;
  }
}

// ---- The whole of it

struct Place {
  Place() { EXPECT_EQ(::listen(socket.get(), 8), 0); }
  Socket socket = bind_tcp(*Address::parse("127.0.0.1", 0), false);
  std::uint16_t port = local_address(socket.get()).port();
};

Task<Address> connect_to(std::string name, std::uint16_t port, ResolverOptions options,
                         ConnectTimings* timings = nullptr) {
  const auto stream = co_await connect_tcp(std::move(name), port, std::move(options), timings);
  co_return stream->remote_address();
}

TEST(ConnectByName, reaches_the_address_that_answers) {
  const Place place;
  const NameServer server{{{"both.test", {{"127.0.0.1", "::1"}}}}};
  ConnectTimings timings;
  const auto address = run(connect_to("both.test.", place.port, server.options(), &timings));
  EXPECT_EQ(address.to_string(), "127.0.0.1:" + std::to_string(place.port));
  EXPECT_TRUE(timings.name && timings.connect);
}

TEST(ConnectByName, reaches_localhost_without_asking) {
  const Place place;
  NameServer server{{}};
  EXPECT_TRUE(run(connect_to("app.localhost", place.port, server.options())).is_loopback());
  EXPECT_EQ(server.questions(), 0);
}

TEST(ConnectByName, tells_that_there_is_no_such_name) {
  const NameServer server{{}};
  try {
    run(connect_to("missing.test.", 80, server.options()));
    ADD_FAILURE() << "it was found";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Fault::name_not_found);
    EXPECT_STREQ(error.what(), "missing.test.:80 (there is no such name): the name has no address");
  }
  EXPECT_THROW(run(connect_to(std::string("a\0b", 3), 80, server.options())), Error);
}

}  // namespace
}  // namespace hotline
