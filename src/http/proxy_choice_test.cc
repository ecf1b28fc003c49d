#include <map>

#include <gtest/gtest.h>

#include <hotline/base/error.h>

#include "http/proxy.h"

namespace hotline::http {
namespace {

using Variables = std::map<std::string, std::string>;

/// "none", or the proxy as text: what it is, and who asks.
std::string chosen(const ProxyOptions& options, const Variables& variables, bool secure,
                   const char* host, std::uint16_t port) {
  const auto environment = [&](const char* name) -> const char* {
    const auto found = variables.find(name);
    return found == variables.end() ? nullptr : found->second.c_str();
  };
  try {
    const auto proxy = choose_proxy(options, secure, host, port, environment);
    if (!proxy) return "none";
    const bool named = !proxy->user.empty() || !proxy->password.empty();
    return proxy->name() + (named ? " " + proxy->user + " " + proxy->password : "");
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), Fault::bad_option);
    return error.what();
  }
}

std::string of_url(const std::string& url, const std::string& bypass = {},
                   const char* host = "example.org", std::uint16_t port = 80) {
  return chosen({.url = url, .bypass = bypass}, {{"http_proxy", "http://other:1"}}, false, host,
                port);
}

std::string of_environment(const Variables& variables, bool secure = false,
                           const char* host = "example.org", std::uint16_t port = 80) {
  return chosen({}, variables, secure, host, port);
}

TEST(ProxyUrl, says_what_kind_of_proxy_it_is_and_where) {
  EXPECT_EQ(of_url("http://proxy:3128"), "http://proxy:3128");
  EXPECT_EQ(of_url("http://proxy:3128/"), "http://proxy:3128");
  EXPECT_EQ(of_url("proxy:3128"), "http://proxy:3128");
  EXPECT_EQ(of_url("proxy"), "http://proxy:80");
  EXPECT_EQ(of_url("http://proxy"), "http://proxy:80");
  EXPECT_EQ(of_url("HTTPS://proxy"), "https://proxy:443");
  EXPECT_EQ(of_url("socks5://proxy"), "socks5://proxy:1080");
  EXPECT_EQ(of_url("socks5h://192.0.2.1:9050"), "socks5://192.0.2.1:9050");
  EXPECT_EQ(of_url("http://[2001:db8::1]:3128"), "http://[2001:db8::1]:3128");
  EXPECT_EQ(of_url("http://[2001:db8::1]"), "http://[2001:db8::1]:80");
}

TEST(ProxyUrl, may_have_a_user_and_a_password) {
  EXPECT_EQ(of_url("http://ann:secret@proxy:1"), "http://proxy:1 ann secret");
  EXPECT_EQ(of_url("ann:secret@proxy:1"), "http://proxy:1 ann secret");
  EXPECT_EQ(of_url("http://ann@proxy:1"), "http://proxy:1 ann ");
  EXPECT_EQ(of_url("http://a%6en:p%40%3a%2F@proxy:1"), "http://proxy:1 ann p@:/");
  EXPECT_EQ(of_url("http://ann:a:b@proxy:1"), "http://proxy:1 ann a:b");
}

TEST(ProxyUrl, that_is_none_is_refused_without_showing_its_password) {
  const std::string form =
      "it has the form [http://][user:password@]host[:port]: an option has a value that is not "
      "allowed";
  for (const auto* url :
       {"http://", "http://:3128", "proxy:", "proxy:0", "proxy:65536", "proxy:x", "proxy/path",
        "http://a b", "http://[::1", "http://[x]:1", "http://[::1]x", "http://pro\xc3\xa4xy"}) {
    const auto said = of_url(url);
    EXPECT_TRUE(said.starts_with("proxy: \"") && said.ends_with(form)) << url << ": " << said;
  }
  EXPECT_TRUE(
      of_url("ftp://proxy")
          .starts_with("proxy: \"ftp://proxy\": a proxy is http, https, socks5 or socks5h"));
  EXPECT_TRUE(of_url("http://ann:sec%ret@proxy")
                  .starts_with("proxy: \"http://...@proxy\": a % is not followed by"));
  EXPECT_TRUE(of_url("http://a%3an:secret@proxy")
                  .starts_with("proxy: \"http://...@proxy\": a user has no colon"));
  EXPECT_EQ(of_url("http://ann:secret@:1").find("secret"), std::string::npos);
  const auto said = of_environment({{"all_proxy", "gopher://proxy"}});
  EXPECT_TRUE(said.starts_with("all_proxy: \"gopher://proxy\"")) << said;
}

TEST(ProxyUrl, is_used_for_this_machine_too) {
  EXPECT_EQ(of_url("proxy:1", "", "localhost"), "http://proxy:1");
  EXPECT_EQ(of_url("proxy:1", "", "127.0.0.1"), "http://proxy:1");
}

TEST(ProxyUrl, has_its_own_exceptions) {
  EXPECT_EQ(of_url("proxy:1", "example.org"), "none");
  EXPECT_EQ(of_url("proxy:1", "example.com"), "http://proxy:1");
}

TEST(ProxyEnvironment, distinguishes_ws_and_wss) {
  const Variables both{{"http_proxy", "http://plain:1"}, {"https_proxy", "http://secure:2"}};
  EXPECT_EQ(of_environment(both, false), "http://plain:1");
  EXPECT_EQ(of_environment(both, true), "http://secure:2");
  EXPECT_EQ(of_environment({{"https_proxy", "secure:2"}}, false), "none");
  EXPECT_EQ(of_environment({{"http_proxy", "plain:2"}}, true), "none");
  EXPECT_EQ(of_environment({}, true), "none");
}

TEST(ProxyEnvironment, falls_back_to_the_proxy_for_all) {
  EXPECT_EQ(of_environment({{"all_proxy", "socks5://all"}}, false), "socks5://all:1080");
  EXPECT_EQ(of_environment({{"ALL_PROXY", "socks5://all"}}, true), "socks5://all:1080");
  EXPECT_EQ(of_environment({{"all_proxy", "all:1"}, {"http_proxy", "plain:1"}}), "http://plain:1");
  EXPECT_EQ(of_environment({{"all_proxy", "all:1"}, {"http_proxy", ""}}), "http://all:1");
  EXPECT_EQ(of_environment({{"all_proxy", "all:1"}, {"http_proxy", " \t"}}), "http://all:1");
}

TEST(ProxyEnvironment, is_read_in_capitals_too_but_small_letters_win) {
  EXPECT_EQ(of_environment({{"HTTP_PROXY", "big:1"}}), "http://big:1");
  EXPECT_EQ(of_environment({{"HTTPS_PROXY", "big:1"}}, true), "http://big:1");
  EXPECT_EQ(of_environment({{"HTTP_PROXY", "big:1"}, {"http_proxy", "small:1"}}), "http://small:1");
}

TEST(ProxyEnvironment, of_a_cgi_program_is_not_the_clients_proxy_header) {
  const Variables cgi{{"HTTP_PROXY", "evil:1"}, {"REQUEST_METHOD", "GET"}};
  EXPECT_EQ(of_environment(cgi), "none");
  EXPECT_EQ(of_environment({{"http_proxy", "good:1"}, {"REQUEST_METHOD", "GET"}}), "http://good:1");
  EXPECT_EQ(of_environment({{"HTTPS_PROXY", "good:1"}, {"REQUEST_METHOD", "GET"}}, true),
            "http://good:1");
}

TEST(ProxyEnvironment, is_not_looked_at_where_the_options_say_so) {
  EXPECT_EQ(
      chosen({.from_environment = false}, {{"http_proxy", "proxy:1"}}, false, "example.org", 80),
      "none");
  EXPECT_EQ(of_url("option:1"), "http://option:1");
}

TEST(ProxyEnvironment, is_not_for_this_machine) {
  const Variables proxied{{"all_proxy", "proxy:1"}};
  for (const auto* host : {"localhost", "LOCALHOST", "app.localhost", "localhost.", "127.0.0.1",
                           "127.1.2.3", "::1", "::ffff:127.0.0.1"}) {
    EXPECT_EQ(of_environment(proxied, false, host), "none") << host;
  }
  for (const auto* host : {"localhost.example.org", "128.0.0.1", "::2"}) {
    EXPECT_EQ(of_environment(proxied, false, host), "http://proxy:1") << host;
  }
}

struct Exception {
  const char* no_proxy;
  const char* host;
  std::uint16_t port;
  bool bypassed;
};

TEST(ProxyEnvironment, has_exceptions) {
  static constexpr Exception table[] = {
      {"*", "example.org", 80, true},
      {"a, *", "example.org", 80, true},
      {"example.org", "example.org", 80, true},
      {"EXAMPLE.org", "example.ORG", 80, true},
      {"example.org", "www.example.org", 80, true},
      {"example.org", "www.example.org.", 80, true},
      {"example.org.", "example.org", 80, true},
      {"example.org", "badexample.org", 80, false},
      {"example.org", "example.org.evil", 80, false},
      {".example.org", "www.example.org", 80, true},
      {".example.org", "a.b.example.org", 80, true},
      {".example.org", "example.org", 80, false},
      {"*.example.org", "www.example.org", 80, true},
      {"*.example.org", "example.org", 80, false},
      {"org", "example.org", 80, true},
      {"a.test,example.org", "example.org", 80, true},
      {"a.test example.org", "example.org", 80, true},
      {" a.test ,\texample.org ", "example.org", 80, true},
      {",,", "example.org", 80, false},
      {"example.org:80", "example.org", 80, true},
      {"example.org:81", "example.org", 80, false},
      {".example.org:80", "www.example.org", 80, true},
      {"example.org:x", "example.org", 80, false},
      {"192.0.2.1", "192.0.2.1", 80, true},
      {"192.0.2.1", "192.0.2.10", 80, false},
      {"192.0.2.1:80", "192.0.2.1", 80, true},
      {"192.0.2.1:81", "192.0.2.1", 80, false},
      {"192.0.2.0/24", "192.0.2.77", 80, true},
      {"192.0.2.0/24", "192.0.3.77", 80, false},
      {"192.0.2.0/24", "::ffff:192.0.2.77", 80, true},
      {"2001:db8::/32", "2001:db8::1", 80, true},
      {"2001:db8::1", "2001:db8:0::1", 80, true},
      {"[2001:db8::1]", "2001:db8::1", 80, true},
      {"[2001:db8::1]:80", "2001:db8::1", 80, true},
      {"[2001:db8::1]:81", "2001:db8::1", 80, false},
      {"1", "192.0.2.1", 80, false},
      {".2.1", "192.0.2.1", 80, false},
      {"0.0.0.0/0", "example.org", 80, false},
  };
  for (const auto& row : table) {
    EXPECT_EQ(of_environment({{"http_proxy", "proxy:1"}, {"no_proxy", row.no_proxy}}, false,
                             row.host, row.port),
              row.bypassed ? "none" : "http://proxy:1")
        << "no_proxy=" << row.no_proxy << " and " << row.host;
  }
  EXPECT_EQ(of_environment({{"http_proxy", "proxy:1"}, {"NO_PROXY", "example.org"}}), "none");
  EXPECT_EQ(of_environment(
                {{"http_proxy", "proxy:1"}, {"NO_PROXY", "example.org"}, {"no_proxy", "a.test"}}),
            "http://proxy:1");
}

TEST(ProxyChoice, of_an_address_with_a_zone_is_that_of_the_address) {
  for (const auto* host : {"::1%lo", "2001:db8::1%lo", "::ffff:192.0.2.1%1", "fe80::1%eth0"}) {
    EXPECT_EQ(of_url("proxy:3128", "", host), "http://proxy:3128") << host;
  }
  EXPECT_EQ(of_url("proxy:3128", "fe80::/10", "fe80::1%eth0"), "none");
  const Variables variables{{"http_proxy", "proxy:3128"}, {"no_proxy", "2001:db8::/32"}};
  EXPECT_EQ(of_environment(variables, false, "2001:db9::1%lo"), "http://proxy:3128");
  EXPECT_EQ(of_environment(variables, false, "2001:db8::1%lo"), "none");
  EXPECT_EQ(of_environment(variables, false, "::1%lo"), "none");
  EXPECT_EQ(of_environment(variables, false, "fe80::1"), "http://proxy:3128");
  EXPECT_EQ(of_environment(variables, false, "fe80::1%eth0"), "none") << "it is for this machine";
}

}  // namespace
}  // namespace hotline::http
