#include "tools/call_url.h"

#include <algorithm>

#include <hotline/base/error.h>

#include "http/url.h"
#include "tools/option_table.h"

namespace hotline::tools {
namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

// "ws" of "ws://…"; "" where there is none.
std::string scheme_of(std::string_view text) {
  const auto end = text.find("://");
  if (end == std::string_view::npos) return "";
  std::string scheme{text.substr(0, end)};
  std::transform(scheme.begin(), scheme.end(), scheme.begin(), lower);
  const auto stands_in_schemes = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  // "localhost/path?to=http://…" has none.
  return std::all_of(scheme.begin(), scheme.end(), stands_in_schemes) ? scheme : "";
}

std::string shown(std::string_view text) { return escaped(http::without_credentials(text)); }

}  // namespace

std::string complete_url(std::string_view text) {
  if (text.empty()) throw UsageError("the URL is empty: such as ws://localhost:8080/echo");
  const auto scheme = scheme_of(text);
  const auto rest = scheme.empty() ? text : text.substr(scheme.size());
  if (scheme == "ws" || scheme == "wss") return scheme + std::string(rest);
  if (scheme == "http" || scheme == "https") {
    const auto meant = (scheme == "http" ? "ws" : "wss") + std::string(rest);
    throw UsageError(shown(text) + " is not a WebSocket's URL: did you mean " + shown(meant) + "?");
  }
  if (text.starts_with("ws+unix:") || text.starts_with("wss+unix:")) return std::string(text);
  if (text.starts_with("unix:")) return "ws+" + std::string(text);
  if (!scheme.empty()) {
    throw UsageError(shown(text) +
                     " is not a WebSocket's URL: those begin with ws://, wss:// or "
                     "ws+unix:");
  }
  if (text.starts_with(':')) return "ws://localhost" + std::string(text);
  return "ws://" + std::string(text);
}

}  // namespace hotline::tools
