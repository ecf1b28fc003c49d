#include <hotline/websocket/cookie_jar.h>

#include <algorithm>
#include <tuple>
#include <utility>

#include <hotline/base/error.h>
#include <hotline/net/address.h>

#include "base/header_tokens.h"
#include "http/url.h"
#include "websocket/set_cookie.h"

namespace hotline::websocket {
namespace {

struct Place {
  std::string host;
  std::string path;
  bool secure = false;
};

Place place_of(std::string_view text) {
  std::string url{text};
  for (const std::string_view scheme : {"http:", "https:"}) {
    if (url.size() >= scheme.size() &&
        equals_ignoring_case(std::string_view{url}.substr(0, scheme.size()), scheme)) {
      url.replace(0, 4, "ws");
      break;
    }
  }
  const auto parsed = http::parse_websocket_url(url);
  return {parsed.socket_path.empty() ? parsed.host_in_zone() : "unix:" + parsed.socket_path,
          parsed.target.substr(0, parsed.target.find('?')), parsed.secure};
}

bool has_prefix(std::string_view name, std::string_view prefix) {
  return name.size() >= prefix.size() &&
         equals_ignoring_case(name.substr(0, prefix.size()), prefix);
}

bool has_expired(const Cookie& cookie, Cookie::Time now) {
  return cookie.expires && *cookie.expires <= now;
}

}  // namespace

CookieJar::CookieJar(CookieJarOptions options) : options_(std::move(options)) {
  const auto check = [](std::size_t value, const char* name) {
    if (value == 0) throw Error(Fault::bad_option, std::string(name) + ": 0 is not a limit");
  };
  check(options_.cookies, "cookies");
  check(options_.cookies_of_a_domain, "cookies_of_a_domain");
  check(options_.cookie_size, "cookie_size");
  check(options_.header_size, "header_size");
}

Cookie::Time CookieJar::now() const {
  return options_.now ? options_.now() : std::chrono::system_clock::now();
}

bool CookieJar::set(std::string_view url, std::string_view set_cookie) {
  const auto place = place_of(url);
  const auto said = SetCookie::parse(set_cookie, now());
  if (!said || said->name.size() + said->value.size() > options_.cookie_size) return false;
  Cookie cookie{.name = said->name, .value = said->value, .domain = place.host};
  if (said->domain && *said->domain != place.host) {
    // The path of a unix socket is no domain's.
    if (place.host.starts_with("unix:") || !domain_matches(place.host, *said->domain)) return false;
    // Every host of "com", or of "com.", which is the same.
    if (said->domain->find('.') >= said->domain->size() - 1) return false;
    cookie.domain = *said->domain;
    cookie.host_only = false;
  } else if (said->domain) {
    // What comes from a domain of one label, or an address, is for that alone (5.3, 5).
    cookie.host_only =
        place.host.find('.') == std::string::npos || Address::parse(place.host, 0).has_value();
  }
  cookie.path = said->path ? *said->path : std::string(default_path(place.path));
  cookie.expires = said->expires;
  cookie.secure = said->secure;
  cookie.http_only = said->http_only;
  if (cookie.secure && !place.secure) return false;
  if (has_prefix(cookie.name, "__Secure-") && !cookie.secure) return false;
  if (has_prefix(cookie.name, "__Host-") &&
      (!cookie.secure || said->domain || cookie.path != "/")) {
    return false;
  }
  return store(std::move(cookie), place.secure);
}

bool CookieJar::store(Cookie cookie, bool secure) {
  const std::lock_guard lock{mutex_};
  if (!secure) {
    // What came in the clear does not stand before what came by TLS (RFC 6265bis 5.7).
    for (const auto& [domain, entries] : domains_) {
      if (!domain_matches(cookie.domain, domain) && !domain_matches(domain, cookie.domain)) {
        continue;
      }
      for (const auto& [other, created, used] : entries) {
        if (other.secure && other.name == cookie.name && path_matches(cookie.path, other.path)) {
          return false;
        }
      }
    }
  }
  auto& entries = domains_[cookie.domain];
  const auto same = std::find_if(entries.begin(), entries.end(), [&](const Entry& entry) {
    return entry.cookie.name == cookie.name && entry.cookie.path == cookie.path &&
           entry.cookie.host_only == cookie.host_only;
  });
  const bool taken = !has_expired(cookie, now());
  if (same != entries.end()) {
    if (taken) {
      same->cookie = std::move(cookie);
      same->used = ++ticks_;
    } else {
      entries.erase(same);
      --count_;
    }
  } else if (taken) {
    make_room(entries);
    const auto tick = ++ticks_;
    entries.push_back({std::move(cookie), tick, tick});
    ++count_;
    return true;
  }
  std::erase_if(domains_, [](const auto& domain) { return domain.second.empty(); });
  return taken;
}

void CookieJar::make_room(Entries& of_domain) {
  const auto by_use = [](const Entry& a, const Entry& b) { return a.used < b.used; };
  if (count_ < options_.cookies && of_domain.size() < options_.cookies_of_a_domain) return;
  const auto time = now();
  for (auto& [domain, entries] : domains_) {
    count_ -=
        std::erase_if(entries, [&](const Entry& entry) { return has_expired(entry.cookie, time); });
  }
  if (of_domain.size() >= options_.cookies_of_a_domain) {
    of_domain.erase(std::min_element(of_domain.begin(), of_domain.end(), by_use));
    --count_;
  }
  if (count_ >= options_.cookies) {
    Entries* oldest_in = nullptr;
    Entries::iterator oldest;
    for (auto& [domain, entries] : domains_) {
      const auto here = std::min_element(entries.begin(), entries.end(), by_use);
      if (here == entries.end() || (oldest_in && !by_use(*here, *oldest))) continue;
      oldest_in = &entries;
      oldest = here;
    }
    oldest_in->erase(oldest);
    --count_;
  }
}

std::string CookieJar::cookies_for(std::string_view url) {
  const auto place = place_of(url);
  const auto time = now();
  const std::lock_guard lock{mutex_};
  std::vector<Entry*> found;
  for (auto& [domain, entries] : domains_) {
    if (!domain_matches(place.host, domain)) continue;
    for (auto& entry : entries) {
      const auto& cookie = entry.cookie;
      if (has_expired(cookie, time) || (cookie.secure && !place.secure) ||
          (cookie.host_only && domain != place.host) || !path_matches(place.path, cookie.path)) {
        continue;
      }
      found.push_back(&entry);
    }
  }
  // Longer paths first, then older ones (RFC 6265 5.4).
  std::sort(found.begin(), found.end(), [](const Entry* a, const Entry* b) {
    const auto x = a->cookie.path.size();
    const auto y = b->cookie.path.size();
    return x != y ? x > y : a->created < b->created;
  });
  std::string text;
  for (auto* entry : found) {
    const auto& [name, value] = std::tie(entry->cookie.name, entry->cookie.value);
    const auto size = (text.empty() ? 0 : 2) + name.size() + 1 + value.size();
    if (text.size() + size > options_.header_size) continue;
    text.append(text.empty() ? "" : "; ").append(name).append("=").append(value);
    entry->used = ++ticks_;
  }
  return text;
}

std::vector<Cookie> CookieJar::cookies() const {
  const auto time = now();
  const std::lock_guard lock{mutex_};
  std::vector<Cookie> all;
  for (const auto& [domain, entries] : domains_) {
    for (const auto& entry : entries) {
      if (!has_expired(entry.cookie, time)) all.push_back(entry.cookie);
    }
  }
  return all;
}

void CookieJar::clear() {
  const std::lock_guard lock{mutex_};
  domains_.clear();
  count_ = 0;
}

}  // namespace hotline::websocket
