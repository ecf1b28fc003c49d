// A Dialer and an Upgrader: both ends are ours, over every kind of stream.
#include <filesystem>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <hotline/http/server.h>
#include <hotline/net/run.h>
#include <hotline/testing/seeds.h>
#include <hotline/websocket/dialer.h>
#include <hotline/websocket/upgrader.h>

#include "http/server_core.h"
#include "support/certificates.h"
#include "support/test_loop.h"

namespace hotline::websocket {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using testing::TestLoop;
using namespace std::chrono_literals;

struct Authority {
  testing::Certificates certificates;
  CertificatePair localhost =
      certificates.issue({.names = {"localhost", "127.0.0.1", "example.org"}});

  static const Authority& only() {
    static const Authority authority;
    return authority;
  }
};

Task<> echo(Connection connection) {
  while (auto message = co_await connection.read()) {
    co_await connection.write(std::move(*message));
  }
}

// What is said must come back; then goodbye. Gives how it ended.
Task<std::string> converse(const Dialer& dialer, std::string url) {
  auto connection = co_await dialer.dial(url);
  if (connection.subprotocol() != "echo") co_return "no subprotocol";
  for (const std::size_t size : {0, 5, 200, 70'000}) {
    const std::string said(size, 'x');
    co_await connection.write(said);
    const auto heard = co_await connection.read();
    if (!heard) break;
    if (heard->text() != said) co_return "another message";
  }
  const auto status = co_await connection.close();
  co_return std::to_string(static_cast<int>(status.code()));
}

Task<> keep(Task<std::string> conversation, std::string& result) {
  try {
    result = co_await std::move(conversation);
  } catch (const Error& error) {
    result = std::string("error: ") + error.what();
  }
}

enum class Line { clear, secure };

class Twins : public ::testing::TestWithParam<Line> {
 protected:
  static bool secure() { return GetParam() == Line::secure; }
  static std::string url() { return secure() ? "wss://example.org/echo" : "ws://example.org/echo"; }
  static http::ServerOptions server_options() {
    http::ServerOptions options{.hosts = {"example.org"}};
    if (secure()) options.tls.certificates = {Authority::only().localhost};
    return options;
  }
  static DialerOptions dialer_options() {
    DialerOptions options{.subprotocols = {"echo"}};
    if (secure()) options.tls.ca_file = Authority::only().certificates.ca_file();
    return options;
  }

  /// A whole conversation over memory: its result. `transfers`, if given, gets how many there were.
  std::string over_memory(const MemoryStreamOptions& streams, std::uint64_t* transfers = nullptr) {
    std::string result = "it hangs";
    TestLoop loop;
    {
      const Upgrader upgrader{{.subprotocols = {"echo"}}};
      http::Server server{server_options()};
      server.handle("/echo", upgrader.handler(echo));
      auto recording = std::make_shared<Recording>();
      auto options = dialer_options();
      options.connect = [&](const DialTarget& target) -> Task<StreamPointer> {
        EXPECT_EQ(target.host, "example.org");
        EXPECT_EQ(target.port, secure() ? 443 : 80);
        auto recorded = streams;
        recorded.recording = recording;
        auto [ours, theirs] = make_memory_streams(*loop, recorded);
        loop.call([&] { server.core().serve(*loop, std::move(theirs)); });
        co_return std::move(ours);
      };
      const Dialer dialer{std::move(options)};
      loop.run(keep(converse(dialer, url()), result));
      for (int round = 0; round < 3000 && result == "it hangs"; ++round) loop.settle();
      loop.advance(200s);
      if (transfers) *transfers = recording->entries().size();
    }
    loop.advance(10s);
    return result;
  }
};

/// Two ends and a wire between them that carries so many bytes, all told, and no more.
class Wire {
 public:
  Wire(TestLoop& loop, std::size_t bytes) : loop_(loop), left_(bytes) {}
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;

  /// The client's end and the server's.
  std::pair<StreamPointer, StreamPointer> ends() {
    auto [client, one] = make_memory_streams(*loop_);
    auto [server, other] = make_memory_streams(*loop_);
    one_ = std::move(one);
    other_ = std::move(other);
    return {std::move(client), std::move(server)};
  }
  /// Carries what there is.
  void carry() {
    for (int idle = 0; idle < 5;) {
      loop_.settle();
      const bool there = carry(one_, other_);
      const bool back = carry(other_, one_);
      idle = there || back ? 0 : idle + 1;
    }
  }
  void cut() {
    one_.reset();
    other_.reset();
    loop_.settle();
  }
  bool is_used_up() const { return left_ == 0; }

 private:
  bool carry(StreamPointer& from, StreamPointer& to) {
    if (!from || left_ == 0) return false;
    char buffer[4096];
    const auto transfer = from->try_read({buffer, std::min(sizeof buffer, left_)});
    if (transfer.would_block()) return false;
    if (transfer.size == 0) {
      from.reset();
      to.reset();
      return true;
    }
    left_ -= transfer.size;
    EXPECT_EQ(to->try_write({buffer, transfer.size}).size, transfer.size);
    return true;
  }

  TestLoop& loop_;
  std::size_t left_;
  StreamPointer one_;
  StreamPointer other_;
};

/// Dials over such a wire, and does `then` when no more moves: the dial's result. False in `more`:
/// the wire was long enough for the whole handshake.
std::string dial_over(std::size_t bytes, http::ServerOptions server_options, DialerOptions options,
                      const std::string& url, bool& more,
                      const std::function<void(TestLoop&)>& then) {
  std::string result = "it waits";
  TestLoop loop;
  Wire wire{loop, bytes};
  {
    const Upgrader upgrader{{.subprotocols = {"echo"}}};
    http::Server server{std::move(server_options)};
    server.handle("/echo", upgrader.handler(echo));
    options.connect = [&](const DialTarget&) -> Task<StreamPointer> {
      auto [ours, theirs] = wire.ends();
      loop.call([&] { server.core().serve(*loop, std::move(theirs)); });
      co_return std::move(ours);
    };
    const Dialer dialer{std::move(options)};
    loop.run(keep(
        [](const Dialer& by, std::string to) -> Task<std::string> {
          const auto connection = co_await by.dial(to);
          co_return "connected";
        }(dialer, url),
        result));
    wire.carry();
    more = wire.is_used_up() && result == "it waits";
    then(loop);
    wire.cut();
    loop.advance(200s);
  }
  loop.advance(10s);
  return result;
}

TEST_P(Twins, ADialCanBeDroppedBehindEveryByte) {
  bool more = true;
  std::size_t bytes = 0;
  for (; more; bytes += secure() ? 13 : 1) {
    const auto result = dial_over(bytes, server_options(), dialer_options(), url(), more,
                                  [](TestLoop& loop) { loop.cancel(); });
    EXPECT_EQ(result, more ? "it waits" : "connected") << bytes;
  }
  EXPECT_GT(bytes, secure() ? 1000u : 200u);
}

TEST_P(Twins, ALineThatFallsSilentIsGivenUpInTime) {
  bool more = true;
  for (std::size_t bytes = 0; more; bytes += secure() ? 101 : 17) {
    const auto result = dial_over(bytes, server_options(), dialer_options(), url(), more,
                                  [](TestLoop& loop) { loop.advance(30s); });
    if (more) {
      EXPECT_THAT(result, HasSubstr("not within 30 s")) << bytes;
    }
  }
}

TEST_P(Twins, ALineThatIsCutIsReported) {
  bool more = true;
  for (std::size_t bytes = 0; more; bytes += secure() ? 101 : 17) {
    const auto result =
        dial_over(bytes, server_options(), dialer_options(), url(), more, [](TestLoop&) {});
    if (more) {
      EXPECT_THAT(result, StartsWith("error: " + url())) << bytes;
    }
  }
}

TEST_P(Twins, TalkOverMemory) { EXPECT_EQ(over_memory({}), "1000"); }

TEST_P(Twins, TalkInSmallPieces) {
  EXPECT_EQ(over_memory({.capacity = 1000, .largest_transfer = secure() ? 50u : 7u}), "1000");
}

TEST_P(Twins, EndWellOrSayWhyWhicheverTransferFails) {
  std::uint64_t transfers = 0;
  ASSERT_EQ(over_memory({}, &transfers), "1000");
  ASSERT_GT(transfers, 8u);
  int errors = 0;
  for (std::uint64_t at = 1; at <= transfers; ++at) {
    const auto result = over_memory({.fail_at = at, .failure = ECONNRESET});
    EXPECT_TRUE(result == "1000" || result == "1006" || result.starts_with("error: ws"))
        << at << ": " << result;
    errors += result.starts_with("error: ");
  }
  EXPECT_GE(errors, 2);
}

TEST_P(Twins, EndWellOrSayWhyOnABadLine) {
  testing::for_each_seed(8, [&](std::uint64_t seed) {
    EXPECT_EQ(over_memory(testing::faults(seed)), "1000") << seed;
    const auto result = over_memory(testing::faults(seed, testing::Resets::sometimes));
    EXPECT_TRUE(result == "1000" || result == "1006" || result.starts_with("error: "))
        << seed << ": " << result;
  });
}

// ---- Over sockets

class Listening {
 public:
  explicit Listening(http::ServerOptions options) : server_(silent(std::move(options))) {
    server_.handle("/echo", upgrader_.handler(echo));
    server_.handle("/private", [](http::Exchange exchange) -> Task<> {
      co_await exchange.respond(http::Status::unauthorized, "who are you?\n");
    });
    server_.handle("/away/{port}", [](http::Exchange exchange) -> Task<> {
      http::Response response{http::Status::found};
      const std::string port{exchange.request().parameter("port")};
      response.add("Location", "wss://127.0.0.1:" + port + "/echo");
      co_await exchange.respond(response);
    });
    server_.listen();
    thread_ = std::thread{[this] { EXPECT_EQ(server_.run(), 0); }};
  }
  Listening(const Listening&) = delete;
  Listening& operator=(const Listening&) = delete;
  ~Listening() {
    server_.drain();
    thread_.join();
  }
  std::string place() const { return "127.0.0.1:" + std::to_string(server_.port()); }

 private:
  static http::ServerOptions silent(http::ServerOptions options) {
    options.logger = std::make_shared<testing::MemoryLogger>();
    return options;
  }

  const Upgrader upgrader_{{.subprotocols = {"echo"}}};
  http::Server server_;
  std::thread thread_;
};

std::string path_of_socket() {
  return (std::filesystem::temp_directory_path() /
          ("hotline-twins-" + std::to_string(::getpid()) + ".sock"))
      .string();
}

TEST_P(Twins, TalkOverTcp) {
  auto options = server_options();
  options.port = 0;
  const Listening server{std::move(options)};
  const Dialer dialer{dialer_options()};
  const auto scheme = std::string(secure() ? "wss" : "ws");
  EXPECT_EQ(run(converse(dialer, scheme + "://" + server.place() + "/echo")), "1000");
  const auto port = server.place().substr(server.place().find(':'));
  EXPECT_EQ(run(converse(dialer, scheme + "://localhost" + port + "/echo")), "1000");
}

TEST_P(Twins, TalkOverAUnixSocket) {
  const auto path = path_of_socket();
  auto options = server_options();
  options.listen = {"unix:" + path};
  const Listening server{std::move(options)};
  const Dialer dialer{dialer_options()};
  const auto scheme = std::string(secure() ? "wss" : "ws");
  EXPECT_EQ(run(converse(dialer, scheme + "+unix:" + path + ":/echo")), "1000");
  auto there = dialer_options();
  there.connect_to = "unix:" + path;
  const Dialer elsewhere{std::move(there)};
  EXPECT_EQ(run(converse(elsewhere, scheme + "://example.org/echo")), "1000");
}

TEST_P(Twins, ARefusalArrivesWhole) {
  auto options = server_options();
  options.port = 0;
  const Listening server{std::move(options)};
  auto dialing = dialer_options();
  dialing.connect_to = server.place();
  const Dialer dialer{std::move(dialing)};
  try {
    (void)run(converse(dialer, secure() ? "wss://localhost/private" : "ws://localhost/private"));
    ADD_FAILURE() << "it was let in";
  } catch (const DialRefused& refused) {
    EXPECT_EQ(refused.status(), 401);
    EXPECT_EQ(refused.body(), "who are you?\n");
  }
}

INSTANTIATE_TEST_SUITE_P(Both, Twins, ::testing::Values(Line::clear, Line::secure),
                         [](const auto& one) {
                           return one.param == Line::clear ? "in_clear" : "over_tls";
                         });

// ---- What only TLS can do wrong, or a proxy

std::pair<std::error_code, std::string> failure_of(const DialerOptions& options,
                                                   const std::string& url) {
  const Dialer dialer{options};
  try {
    return {{}, run(converse(dialer, url))};
  } catch (const Error& error) {
    return {error.code(), error.what()};
  }
}

TEST(ProxyTwins, AZoneIsNoWayAroundAProxy) {
  for (const auto* url : {"ws://[::1%25lo]:1/", "ws://[::ffff:127.0.0.1%251]:1/"}) {
    const auto [code, sentence] = failure_of({.proxy = {.url = "http://localhost:1"}}, url);
    EXPECT_NE(sentence.find("the proxy http://localhost:1"), std::string::npos) << sentence;
  }
}

TEST(TlsTwins, ACertificateThatIsNotBelievedIsRefused) {
  const Listening server{{.port = 0, .tls = {.certificates = {Authority::only().localhost}}}};
  const auto url = "wss://" + server.place() + "/echo";
  EXPECT_TRUE(failure_of({.subprotocols = {"echo"}}, url).first == Condition::certificate_rejected);
  const TlsClientOptions believing{.ca_file = Authority::only().certificates.ca_file()};
  EXPECT_EQ(failure_of({.tls = believing, .connect_to = server.place()}, "wss://other.example/echo")
                .first,
            Fault::certificate_wrong_name);
  EXPECT_EQ(
      failure_of({.subprotocols = {"echo"}, .tls = {.dangerously_accept_any_certificate = true}},
                 url)
          .second,
      "1000");
}

Task<bool> resumes(const Dialer& dialer, std::string url) {
  auto connection = co_await dialer.dial(url);
  const bool resumed = connection.tls()->resumed;
  co_await connection.close();
  co_return resumed;
}

TEST(TlsTwins, ADialerResumesItsOwnSessions) {
  const Listening server{{.port = 0, .tls = {.certificates = {Authority::only().localhost}}}};
  const auto url = "wss://" + server.place() + "/echo";
  const DialerOptions options{.subprotocols = {"echo"},
                              .tls = {.ca_file = Authority::only().certificates.ca_file()}};
  const Dialer dialer{options};
  const Dialer another{options};
  EXPECT_FALSE(run(resumes(dialer, url)));
  EXPECT_TRUE(run(resumes(dialer, url)));
  EXPECT_FALSE(run(resumes(another, url)));
}

TEST(TlsTwins, AServerThatWantsACertificateSaysSo) {
  const auto ca = Authority::only().certificates.ca_file();
  const auto& pair = Authority::only().localhost;
  const Listening server{{.port = 0, .tls = {.certificates = {pair}, .client_ca_file = ca}}};
  const auto url = "wss://" + server.place() + "/echo";
  const auto [code, sentence] = failure_of({.tls = {.ca_file = ca}}, url);
  EXPECT_EQ(code, Fault::tls_failed);
  EXPECT_THAT(sentence, StartsWith(url));
  EXPECT_THAT(sentence, HasSubstr("certificate required"));
  const TlsClientOptions shown{
      .ca_file = ca, .certificate_file = pair.certificate_file, .key_file = pair.key_file};
  EXPECT_EQ(failure_of({.subprotocols = {"echo"}, .tls = shown}, url).second, "1000");
}

TEST(TlsTwins, ARedirectIsNotToldWhatWasMeantForTheFirst) {
  const auto ca = Authority::only().certificates.ca_file();
  const auto& pair = Authority::only().localhost;
  const TlsServerOptions mutual{.certificates = {pair}, .client_ca_file = ca};
  const Listening second{{.port = 0, .tls = mutual}};
  const auto port = second.place().substr(second.place().find(':') + 1);
  const Listening first{{.port = 0, .tls = mutual}};
  const TlsClientOptions shown{
      .ca_file = ca, .certificate_file = pair.certificate_file, .key_file = pair.key_file};
  const DialerOptions options{.subprotocols = {"echo"}, .tls = shown, .redirects = 1};
  const auto [code, sentence] = failure_of(options, "wss://" + first.place() + "/away/" + port);
  EXPECT_EQ(code, Fault::tls_failed);
  EXPECT_THAT(sentence, StartsWith("wss://" + second.place()));
  EXPECT_THAT(sentence, HasSubstr("certificate required"));
  EXPECT_EQ(failure_of(options, "wss://" + second.place() + "/echo").second, "1000");
}

TEST(TlsTwins, WhoMixesUpTheSchemesIsToldSo) {
  const Listening secure{{.port = 0, .tls = {.certificates = {Authority::only().localhost}}}};
  const auto clear_to_secure = failure_of({}, "ws://" + secure.place() + "/echo");
  EXPECT_THAT(clear_to_secure.second, HasSubstr("400"));
  const Listening clear{{.port = 0}};
  const auto secure_to_clear = failure_of({}, "wss://" + clear.place() + "/echo");
  EXPECT_EQ(secure_to_clear.first, Fault::tls_failed);
}

}  // namespace
}  // namespace hotline::websocket
