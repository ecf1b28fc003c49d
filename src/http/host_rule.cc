#include "http/host_rule.h"

#include <algorithm>

#include <hotline/net/address.h>

#include "base/header_tokens.h"
#include "http/request_builder.h"

namespace hotline::http {

bool HostRule::allows(std::string_view host) const noexcept {
  if (any_ || host.empty()) return true;
  const auto name = parse_host(host);
  if (!name) return false;
  if (Address::parse(*name, 0) || equals_ignoring_case(*name, "localhost")) return true;
  // Names below localhost stay on the machine, too (RFC 6761 6.3).
  static constexpr std::string_view below = ".localhost";
  if (name->size() > below.size() &&
      equals_ignoring_case(name->substr(name->size() - below.size()), below)) {
    return true;
  }
  return std::any_of(names_.begin(), names_.end(), [&](const std::string& allowed) {
    return equals_ignoring_case(allowed, *name);
  });
}

}  // namespace hotline::http
