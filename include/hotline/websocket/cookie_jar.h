#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace hotline::websocket {

/// A cookie in a jar (RFC 6265 5.3).
struct Cookie {
  using Time = std::chrono::system_clock::time_point;

  std::string name = {};
  std::string value = {};
  /// The host that it came from, or, where not `host_only`, the domain whose hosts all get it.
  std::string domain = {};
  std::string path = {};
  /// Nothing: it lasts as long as the jar.
  std::optional<Time> expires = {};
  bool host_only = true;
  /// For wss alone.
  bool secure = false;
  /// Not for scripts, where there are any.
  bool http_only = false;
};

struct CookieJarOptions {
  /// Beyond, those that were not used for the longest time make room. 0 is not a limit.
  std::size_t cookies = 3000;
  std::size_t cookies_of_a_domain = 50;
  /// Bytes of name and value; a longer one is not taken.
  std::size_t cookie_size = 4096;
  /// Bytes of the header Cookie; what does not fit is not sent.
  std::size_t header_size = 8192;
  /// What time it is, for tests. Thread-safe. Null: the system's clock.
  std::function<Cookie::Time()> now = nullptr;
};

/// The cookies of a client (RFC 6265), for DialerOptions::cookies: filled from what servers answer,
/// and sent back to them. Thread-safe; one may serve many Dialers.
///
/// It has no list of public suffixes: a cookie for a domain of one label ("com") is not taken, one
/// for "co.uk" is. Like browsers it does not take a Secure cookie from a ws: URL, nor let one from
/// there take the place of a Secure one, and knows the prefixes __Secure- and __Host-. SameSite
/// means nothing here.
class CookieJar {
 public:
  /// Throws Error (bad_option) that says which limit.
  explicit CookieJar(CookieJarOptions options = {});

  /// Takes the value of a Set-Cookie header that came from this URL (ws, wss, http, https). False:
  /// it is not taken; also where it has expired, and one of that name is removed. Throws Error
  /// (bad_url).
  bool set(std::string_view url, std::string_view set_cookie);
  /// What the header Cookie to this URL says: "a=b; c=d", or "" if there is none. Throws Error
  /// (bad_url).
  [[nodiscard]] std::string cookies_for(std::string_view url);
  /// All that have not expired, by domain.
  [[nodiscard]] std::vector<Cookie> cookies() const;
  void clear();

 private:
  struct Entry {
    Cookie cookie;
    std::uint64_t created = 0;
    std::uint64_t used = 0;
  };
  using Entries = std::vector<Entry>;

  Cookie::Time now() const;
  bool store(Cookie cookie, bool secure);
  void make_room(Entries& of_domain);

  CookieJarOptions options_;
  mutable std::mutex mutex_;
  std::map<std::string, Entries, std::less<>> domains_;
  std::size_t count_ = 0;
  std::uint64_t ticks_ = 0;
};

}  // namespace hotline::websocket
