#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <hotline/base/clock.h>
#include <hotline/net/address.h>

namespace hotline {

class Loop;

enum class Family : std::uint8_t { ipv4, ipv6 };

/// A name's addresses of one family; none, and then why.
struct NameAnswer {
  std::vector<Address> addresses;
  std::string failure;
};

/// Whom a Lookup tells.
class NameListener {
 public:
  /// Once for each family, by the loop. The lookup may be destroyed in it.
  virtual void answered(Family family, NameAnswer answer) noexcept = 0;

 protected:
  ~NameListener() = default;
};

struct ResolverOptions {
  /// "127.0.0.1:5353,[::1]"; empty: the system's.
  std::string servers;
  /// Of the first try at each server; later ones take longer. 0: the system's (5 s).
  Duration timeout{};
  /// At each server. 0: the system's (4).
  int tries = 0;
  /// Whether the environment's CARES_HOSTS takes the place of the file of hosts.
  bool hosts_from_environment = false;
};

/// Asks for the addresses of a name, both families at once: the file of hosts, then the name
/// servers, as the system is configured. Destroying it cancels. For one loop's thread.
class Lookup {
 public:
  /// Addresses are given with `port`. Throws Error (name_not_found) where nobody can be asked.
  Lookup(Loop& loop, const std::string& name, std::uint16_t port, NameListener& listener,
         const ResolverOptions& options = {});
  Lookup(const Lookup&) = delete;
  Lookup& operator=(const Lookup&) = delete;
  ~Lookup();

 private:
  class Core;
  std::unique_ptr<Core> core_;
};

/// localhost, and what is below it: this machine, whatever a name server says (RFC 6761 6.3).
bool is_localhost(std::string_view name) noexcept;

}  // namespace hotline
