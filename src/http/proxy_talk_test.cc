// Both protocols to the byte, over streams in memory: cut at every byte, and failing at each step.
#include "http/proxy_talk.h"

#include <cerrno>
#include <memory>
#include <vector>

#include <gtest/gtest.h>

#include <hotline/base/entropy.h>
#include <hotline/base/error.h>
#include <hotline/http/proxy_refused.h>
#include <hotline/net/memory_stream.h>

#include "net/stream_wait.h"
#include "support/test_loop.h"

namespace hotline::http {
namespace {

using hotline::testing::TestLoop;
using namespace std::chrono_literals;
using namespace std::string_literals;

/// A proxy that expects to be told this, and says that.
struct Turn {
  std::string expected;
  std::string answer;
};
using Script = std::vector<Turn>;

struct Outcome {
  std::string text;  // what the target says first; or the error
  std::error_code code;
  int status = 0;
  std::string authentication;
  std::string body;
};

struct Scene {
  Proxy proxy{Proxy::Kind::http, "proxy", 3128, {}, {}};
  Script script;
  std::string host = "example.org";
  std::uint16_t port = 80;
  bool hangs_up = false;  // the proxy, at the end of the script
  bool may_wait = false;  // both for one another, until somebody's patience ends
  MemoryStreamOptions stream = {};
};

// Compares, and leaves what does not fit unanswered. Keeps its end for as long as the test wants.
Task<> play(ProxyTalk& end, Script script, bool hangs_up) {
  for (auto& turn : script) {
    std::string heard(turn.expected.size(), '\0');
    co_await end.receive(heard);
    EXPECT_EQ(heard, turn.expected);
    co_await end.send(std::move(turn.answer));
  }
  if (hangs_up) end.take_stream();
}

Task<> play_quietly(ProxyTalk& end, Script script, bool hangs_up) {
  try {
    co_await play(end, std::move(script), hangs_up);
  } catch (const Error&) {
    end.take_stream();  // the streams fail on purpose
  }
}

Task<> ask(ProxyTalk& talk, Scene scene, std::size_t greeting, Outcome& outcome) {
  try {
    if (scene.proxy.kind == Proxy::Kind::socks5) {
      co_await ask_socks5_proxy(talk, scene.proxy, scene.host, scene.port);
    } else {
      co_await ask_http_proxy(talk, scene.proxy, scene.host, scene.port);
    }
    std::string first(greeting, '\0');
    co_await talk.receive(first);
    outcome.text = first;
  } catch (const ProxyRefused& error) {
    outcome = {error.what(), error.code(), error.status(), error.authentication(), error.body()};
  } catch (const Error& error) {
    outcome = {error.what(), error.code(), 0, {}, {}};
  }
}

// What comes right behind the proxy's last word is the target's: "hello".
Outcome play_scene(Scene scene) {
  TestLoop loop;
  auto [ours, theirs] = make_memory_streams(*loop, scene.stream);
  ProxyTalk proxy{std::move(theirs), "client"};
  Outcome outcome{"it still waits", {}, 0, {}, {}};
  const std::string greeting = "hello";
  auto script = scene.script;
  if (!scene.hangs_up) script.back().answer += greeting;
  loop.run(play_quietly(proxy, std::move(script), scene.hangs_up));
  ProxyTalk talk{std::move(ours), scene.proxy.name()};
  loop.run(ask(talk, scene, greeting.size(), outcome));
  loop.advance(10s);
  EXPECT_TRUE(scene.may_wait || outcome.text != "it still waits");
  loop.cancel();
  talk.take_stream();
  proxy.take_stream();
  loop.settle();
  return outcome;
}

std::string connect_to(const std::string& target, const std::string& fields = {}) {
  return "CONNECT " + target + " HTTP/1.1\r\nHost: " + target + "\r\n" + fields + "\r\n";
}

const std::string asked = connect_to("example.org:80");

Outcome answered(const std::string& answer, bool hangs_up = false) {
  return play_scene({.script = {{asked, answer}}, .hangs_up = hangs_up});
}

// ---- HTTP CONNECT

TEST(HttpProxy, gives_the_target_from_its_first_byte) {
  EXPECT_EQ(answered("HTTP/1.1 200 Connection established\r\n\r\n").text, "hello");
  EXPECT_EQ(answered("HTTP/1.0 200 OK\r\nA: b\r\nC: d\r\n\r\n").text, "hello");
  EXPECT_EQ(answered("HTTP/1.1 204 \r\n\r\n").text, "hello");
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n").text, "hello")
      << "a length means nothing here (RFC 9110 9.3.6)";
}

TEST(HttpProxy, may_answer_first_that_it_is_at_it) {
  EXPECT_EQ(answered("HTTP/1.1 103 Early Hints\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\n\r\n").text,
            "hello");
  std::string interim;
  for (int i = 0; i < 20; ++i) interim += "HTTP/1.1 100 Continue\r\n\r\n";
  EXPECT_EQ(answered(interim).code, Fault::proxy_failed);
}

TEST(HttpProxy, is_told_the_port_and_brackets_around_ipv6) {
  EXPECT_EQ(play_scene({.script = {{connect_to("[2001:db8::1]:443"), "HTTP/1.1 200 OK\r\n\r\n"}},
                        .host = "2001:db8::1",
                        .port = 443})
                .text,
            "hello");
}

TEST(HttpProxy, is_told_who_asks) {
  const std::string fields = "Proxy-Authorization: Basic YW5uOnA6w6Q=\r\n";
  EXPECT_EQ(
      play_scene({.proxy = {Proxy::Kind::http, "proxy", 3128, "ann", "p:\xc3\xa4"},
                  .script = {{connect_to("example.org:80", fields), "HTTP/1.1 200 OK\r\n\r\n"}}})
          .text,
      "hello");
}

TEST(HttpProxy, that_refuses_is_quoted) {
  const auto outcome = answered("HTTP/1.1 403 Filtered\r\nContent-Length: 9\r\n\r\nnot there");
  EXPECT_EQ(outcome.code, Fault::proxy_refused);
  EXPECT_EQ(outcome.code, Condition::unreachable);
  EXPECT_EQ(outcome.status, 403);
  EXPECT_EQ(outcome.body, "not there");
  EXPECT_EQ(outcome.text, "http://proxy:3128 for example.org:80 (403 Filtered): the proxy refused");
}

TEST(HttpProxy, that_wants_to_know_who_asks_says_how) {
  const auto outcome = answered(
      "HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm=\"a\"\r\n"
      "proxy-authenticate: Negotiate\r\nContent-Length: 0\r\n\r\n");
  EXPECT_EQ(outcome.status, 407);
  EXPECT_EQ(outcome.authentication, "Basic realm=\"a\", Negotiate");
  EXPECT_EQ(outcome.text,
            "http://proxy:3128 for example.org:80 (407 Proxy Authentication Required; it wants "
            "Basic realm=\\x22a\\x22, Negotiate): the proxy refused");
}

TEST(HttpProxy, may_refuse_with_a_body_of_every_kind) {
  const std::string head = "HTTP/1.1 502 Bad Gateway\r\n";
  EXPECT_EQ(
      answered(head + "Transfer-Encoding: chunked\r\n\r\n4\r\nnot \r\n5\r\nthere\r\n0\r\n\r\n")
          .body,
      "not there");
  EXPECT_EQ(answered(head + "\r\nnot there", true).body, "not there") << "up to the end";
  EXPECT_EQ(answered(head + "Content-Length: 99\r\n\r\nnot there", true).body, "not there")
      << "cut short";
  EXPECT_EQ(answered(head + "Content-Length: 18446744073709551615\r\n\r\n").body, "hello")
      << "what comes in two seconds";
  EXPECT_EQ(answered(head + "\r\n" + std::string(5000, 'x')).body, std::string(1024, 'x'));
  EXPECT_EQ(answered(head + "Content-Length: 5000\r\n\r\n" + std::string(5000, 'x')).body,
            std::string(1024, 'x'));
}

TEST(HttpProxy, that_speaks_something_else_fails) {
  for (const auto* answer :
       {"SSH-2.0-OpenSSH_9.2\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "HTTP/1.1 OK\r\n\r\n",
        "HTTP/1.1 200 OK\n\n....", "HTTP/1.1 200 OK\r\nA: b\n....", "HTTP/1.1 200 OK\r\n\n....",
        "HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "HTTP/1.1 999999 OK\r\n\r\n", "\r\n\r\n"}) {
    EXPECT_EQ(answered(answer).code, Fault::proxy_failed) << answer;
  }
  EXPECT_EQ(answered("HTTP/1.1 200 OK\r\nA: " + std::string(20000, 'x')).code, Fault::proxy_failed);
  EXPECT_EQ(answered("HTTP/1.1 101 Switching\r\n\r\n").code, Fault::proxy_refused);
}

TEST(HttpProxy, that_hangs_up_fails) {
  const auto outcome = answered("HTTP/1.1 200 OK\r\n", true);
  EXPECT_EQ(outcome.code, Fault::proxy_failed);
  EXPECT_EQ(outcome.text,
            "http://proxy:3128 (it hung up): the proxy does not answer as a proxy does");
}

TEST(HttpProxy, is_not_told_what_would_be_another_request) {
  for (const auto& host : {"a b"s, "a\r\nHost: b"s, "a/b"s, "a@b"s, ""s, "a\0b"s, "\xc3\xa4"s}) {
    EXPECT_EQ(play_scene({.script = {{"", ""}}, .host = host}).code, Fault::bad_option) << host;
  }
}

// ---- SOCKS5

const std::string greeting = "\x05\x01\x00"s;
const std::string greeting_with_password = "\x05\x02\x00\x02"s;
const std::string nobody = "\x05\x00"s;
const std::string password = "\x05\x02"s;
const std::string by_name = "\x05\x01\x00\x03\x0b"s + "example.org" + "\x00\x50"s;
const std::string connected = "\x05\x00\x00\x01\x7f\x00\x00\x01\x12\x34"s;

Scene socks(Script script) {
  return {.proxy = {Proxy::Kind::socks5, "proxy", 1080, {}, {}}, .script = std::move(script)};
}
Scene socks_for_ann(Script script) {
  return {.proxy = {Proxy::Kind::socks5, "proxy", 1080, "ann", "secret"},
          .script = std::move(script)};
}

TEST(SocksProxy, gives_the_target_from_its_first_byte) {
  EXPECT_EQ(play_scene(socks({{greeting, nobody}, {by_name, connected}})).text, "hello");
}

TEST(SocksProxy, may_say_in_every_way_where_it_is_bound) {
  const auto ipv6 = "\x05\x00\x00\x04"s + std::string(18, 'x');
  const auto name = "\x05\x00\x00\x03\x05proxy\x12\x34"s;
  const auto empty = "\x05\x00\x00\x03\x00\x12\x34"s;
  const auto longest = "\x05\x00\x00\x03\xff"s + std::string(257, 'x');
  for (const auto& reply : {ipv6, name, empty, longest}) {
    EXPECT_EQ(play_scene(socks({{greeting, nobody}, {by_name, reply}})).text, "hello");
  }
}

TEST(SocksProxy, is_told_addresses_as_such) {
  auto ipv4 = socks({{greeting, nobody}, {"\x05\x01\x00\x01\xc0\x00\x02\x01\x01\xbb"s, connected}});
  ipv4.host = "192.0.2.1";
  ipv4.port = 443;
  EXPECT_EQ(play_scene(ipv4).text, "hello");
  auto ipv6 = socks(
      {{greeting, nobody},
       {"\x05\x01\x00\x04\x20\x01\x0d\xb8"s + std::string(11, '\0') + "\x01\x00\x50"s, connected}});
  ipv6.host = "2001:db8::1";
  EXPECT_EQ(play_scene(ipv6).text, "hello");
}

TEST(SocksProxy, is_told_who_asks_where_it_wants_to_know) {
  const auto credentials = "\x01\x03"s + "ann\x06secret";
  EXPECT_EQ(play_scene(socks_for_ann({{greeting_with_password, password},
                                      {credentials, "\x01\x00"s},
                                      {by_name, connected}}))
                .text,
            "hello");
  EXPECT_EQ(
      play_scene(socks_for_ann({{greeting_with_password, nobody}, {by_name, connected}})).text,
      "hello");
  const auto refused =
      play_scene(socks_for_ann({{greeting_with_password, password}, {credentials, "\x01\x01"s}}));
  EXPECT_EQ(refused.code, Fault::proxy_refused);
  EXPECT_EQ(refused.text,
            "socks5://proxy:1080 (it does not accept this user and password): the proxy refused");
}

TEST(SocksProxy, that_accepts_nobody_says_so) {
  const auto outcome = play_scene(socks({{greeting, "\x05\xff"s}}));
  EXPECT_EQ(outcome.code, Fault::proxy_refused);
  EXPECT_EQ(outcome.text,
            "socks5://proxy:1080 (it wants to know who asks, and no user is given): the proxy "
            "refused");
  EXPECT_EQ(play_scene(socks_for_ann({{greeting_with_password, "\x05\xff"s}})).code,
            Fault::proxy_refused);
}

TEST(SocksProxy, that_cannot_connect_says_why) {
  const char* const sentences[] = {"it failed",
                                   "its rules do not allow the connection",
                                   "the network cannot be reached from there",
                                   "the host cannot be reached from there",
                                   "the host refused the connection",
                                   "the host is too far away: TTL expired",
                                   "it does not know how to connect",
                                   "it does not know this kind of address",
                                   "its reply is 9"};
  int code = 0;
  for (const auto* sentence : sentences) {
    auto reply = connected;
    reply[1] = static_cast<char>(++code);
    const auto outcome = play_scene(socks({{greeting, nobody}, {by_name, reply}}));
    EXPECT_EQ(outcome.code, Fault::proxy_refused);
    EXPECT_EQ(outcome.status, code);
    EXPECT_EQ(outcome.text, "socks5://proxy:1080 for example.org:80 (" + std::string(sentence) +
                                "): the proxy refused");
  }
}

TEST(SocksProxy, that_speaks_something_else_fails) {
  EXPECT_EQ(play_scene(socks({{greeting, "HTTP/1.1 400"}})).code, Fault::proxy_failed);
  EXPECT_EQ(play_scene(socks({{greeting, "\x04\x00"s}})).code, Fault::proxy_failed);
  EXPECT_EQ(play_scene(socks({{greeting, "\x05\x01"s}})).code, Fault::proxy_failed)
      << "a way that it was not offered";
  EXPECT_EQ(play_scene(socks({{greeting, "\x05\x02"s}})).code, Fault::proxy_failed);
  EXPECT_EQ(play_scene(socks_for_ann({{greeting_with_password, password},
                                      {"\x01\x03"s + "ann\x06secret", "\x05\x00"s}}))
                .code,
            Fault::proxy_failed);
  EXPECT_EQ(play_scene(socks({{greeting, nobody}, {by_name, "\x04\x00\x00\x01"s}})).code,
            Fault::proxy_failed);
  EXPECT_EQ(play_scene(socks({{greeting, nobody}, {by_name, "\x05\x00\x00\x02"s}})).code,
            Fault::proxy_failed);
}

TEST(SocksProxy, is_not_told_what_it_could_not_read) {
  auto scene = socks({{"", ""}});
  scene.host = std::string(256, 'a');
  EXPECT_EQ(play_scene(scene).code, Fault::bad_option);
  scene.host = "";
  EXPECT_EQ(play_scene(scene).code, Fault::bad_option);
  auto named = socks_for_ann({{"", ""}});
  named.proxy.password = std::string(256, 'a');
  EXPECT_EQ(play_scene(named).code, Fault::bad_option);
  named.proxy.password = "";
  EXPECT_EQ(play_scene(named).code, Fault::bad_option);
}

// ---- Both, on bad lines

std::vector<Scene> scenes() {
  return {{.script = {{asked, "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\n"}}},
          socks_for_ann({{greeting_with_password, password},
                         {"\x01\x03"s + "ann\x06secret", "\x01\x00"s},
                         {by_name, connected}})};
}

TEST(Proxies, are_understood_however_the_bytes_are_cut) {
  for (auto& scene : scenes()) {
    for (std::size_t largest = 1; largest < 12; ++largest) {
      scene.stream = {.largest_transfer = largest, .stall_one_in = 3, .seed = largest};
      EXPECT_EQ(play_scene(scene).text, "hello") << largest;
      scene.stream.random_sizes = true;
      EXPECT_EQ(play_scene(scene).text, "hello") << largest;
    }
    scene.stream = {.capacity = 1};
    EXPECT_EQ(play_scene(scene).text, "hello") << "written byte by byte";
  }
}

TEST(Proxies, that_hang_up_at_any_byte_are_reported) {
  for (const auto& whole : scenes()) {
    for (std::size_t turn = 0; turn < whole.script.size(); ++turn) {
      auto scene = whole;
      scene.hangs_up = true;
      scene.script.resize(turn + 1);
      const auto answer = scene.script.back().answer;
      for (std::size_t size = 0; size < answer.size(); ++size) {
        scene.script.back().answer = answer.substr(0, size);
        EXPECT_EQ(play_scene(scene).code, Fault::proxy_failed) << turn << " " << size;
      }
    }
  }
}

TEST(Proxies, whose_stream_fails_at_any_transfer_are_reported) {
  for (const auto& whole : scenes()) {
    for (std::uint64_t at = 1;; ++at) {
      ASSERT_LT(at, 1000u);
      auto scene = whole;
      scene.stream = {.fail_at = at};
      const auto outcome = play_scene(scene);
      if (outcome.text == "hello") break;
      // Where it is the proxy's transfer that fails, it hangs up.
      EXPECT_TRUE(outcome.code == std::error_code(EIO, std::system_category()) ||
                  outcome.code == Condition::connection_lost || outcome.code == Fault::proxy_failed)
          << at << ": " << outcome.text;
    }
  }
}

TEST(Proxies, whose_answers_are_damaged_are_reported_or_understood) {
  SeededEntropy chance{7};
  const auto below = [&](std::size_t limit) { return chance.number() % limit; };
  for (const auto& whole : scenes()) {
    int understood = 0;
    int reported = 0;
    for (int i = 0; i < 2000; ++i) {
      auto scene = whole;
      scene.may_wait = true;
      auto& answer = scene.script[below(scene.script.size())].answer;
      for (auto damage = below(3) + 1; damage > 0 && !answer.empty(); --damage) {
        const auto at = below(answer.size());
        const auto byte = static_cast<char>(chance.number());
        switch (below(3)) {
          case 0: answer[at] = byte; break;
          case 1: answer.erase(at, below(4)); break;
          default: answer.insert(at, 1, byte);
        }
      }
      const auto outcome = play_scene(std::move(scene));
      if (outcome.code) ++reported;
      if (outcome.text == "hello") ++understood;
      EXPECT_TRUE(!outcome.code || outcome.code == Condition::unreachable ||
                  outcome.code == Condition::connection_lost)
          << outcome.text;
    }
    EXPECT_GT(understood, 0);
    EXPECT_GT(reported, 0);
  }
}

}  // namespace
}  // namespace hotline::http
